/**
 * Votes of the reader: shown at once, and taken back where the server refuses.
 *
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {{value: number, undo: () => void}} Cast
 */
import * as commands from '../commands.js';
import { applyAnswer, vote } from '../../live/thread.js';

export class Voting {
  #context;
  #announcer;
  /** Votes on each comment that wait for their answers, in the order in which they were given. @type {Map<string, Cast[]>} */
  #pending = new Map();

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
  }

  /** Votes, or takes the same vote back. @param {string} id @param {1 | -1} way */
  async vote(id, way) {
    const { cards, list, thread } = this.#context;
    const value = cards.vote(id) === way ? 0 : way;
    const cast = { value, undo: vote(thread, id, value) };
    list.update(id);
    const pending = this.#pending.get(id) ?? [];
    pending.push(cast);
    if (pending.length > 1) return;
    this.#pending.set(id, pending);
    await this.#send(id, pending);
    this.#pending.delete(id);
    this.#context.list.update(id);
  }

  /** One request after another, so that the last vote is the one that counts; more may be given meanwhile. @param {string} id @param {Cast[]} pending */
  async #send(id, pending) {
    let answered = 0;
    try {
      for (; answered < pending.length; answered++) {
        const { votes, value, seq } = await commands.vote(this.#context.api, id, pending[answered].value);
        if (answered + 1 < pending.length) continue;
        const { thread } = this.#context;
        vote(thread, id, value);
        applyAnswer(thread, id, { votes }, seq);
      }
    } catch (error) {
      for (const { undo } of pending.slice(answered).reverse()) undo();
      this.#announcer.error(error);
    }
  }
}
