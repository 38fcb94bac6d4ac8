/**
 * The last decisions of this window at a site, so that they can be taken back: also after another queue was looked at.
 *
 * @import { SafeStorage } from '../page/storage.js'
 *
 * @typedef {{comment_id: string, action: string}} Action
 * @typedef {{actions: Action[], did: string}} Step What one press did; `did` is the act.
 */
export const MOST = 50;

export class UndoStack {
  #storage;
  #name;

  /** @param {SafeStorage} storage @param {string} site */
  constructor(storage, site) {
    this.#storage = storage;
    this.#name = `tertulia:desk-undo:${site}`;
  }

  /** @returns {Step[]} The oldest first. */
  get steps() {
    const stored = this.#storage.json(this.#name);
    return Array.isArray(stored) ? stored : [];
  }

  /** @param {Step} step */
  push(step) {
    if (step.actions.length) this.#keep([...this.steps, step].slice(-MOST));
  }

  /** @returns {Step | undefined} */
  pop() {
    const steps = this.steps;
    const step = steps.pop();
    this.#keep(steps);
    return step;
  }

  /** @param {Step[]} steps */
  #keep(steps) {
    this.#storage.set(this.#name, steps.length ? JSON.stringify(steps) : null);
  }
}
