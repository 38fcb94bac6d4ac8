/**
 * Comments that are chosen, for one act about all of them: also some that are not on the page.
 *
 * @import { Target } from './requests.js'
 */
export class Selection {
  /** Versions by id. @type {Map<string, number>} */
  #chosen = new Map();
  /** Where a range begins. @type {string | null} */
  #anchor = null;

  get size() {
    return this.#chosen.size;
  }

  /** @param {string} id */
  has(id) {
    return this.#chosen.has(id);
  }

  /** @returns {Target[]} */
  get targets() {
    return [...this.#chosen].map(([comment_id, version]) => ({ comment_id, version }));
  }

  /** @param {Target} target @param {boolean} isChosen */
  set({ comment_id, version }, isChosen) {
    if (isChosen) this.#chosen.set(comment_id, version);
    else this.#chosen.delete(comment_id);
    this.#anchor = comment_id;
  }

  /** From where the last choice was to here, as that one was. @param {Target[]} shown In the order of the page. @param {string} to */
  range(shown, to) {
    const end = shown.findIndex((one) => one.comment_id === to);
    const from = shown.findIndex((one) => one.comment_id === this.#anchor);
    const start = from < 0 ? end : from;
    const isChosen = from < 0 || this.has(/** @type {Target} */ (shown[start]).comment_id);
    for (const one of shown.slice(Math.min(start, end), Math.max(start, end) + 1)) this.set(one, isChosen);
  }

  /** Decided, or gone. @param {string} id */
  drop(id) {
    this.#chosen.delete(id);
  }

  /** What is chosen is chosen as it is shown now. @param {Target} target */
  refresh({ comment_id, version }) {
    if (this.has(comment_id)) this.#chosen.set(comment_id, version);
  }

  clear() {
    this.#chosen.clear();
    this.#anchor = null;
  }
}
