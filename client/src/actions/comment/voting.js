/**
 * Votes of the reader: shown at once, and taken back where the server refuses. One that does not get through is kept, over
 * reloads, until it does.
 *
 * @import { ApiError } from '../../live/api.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {{value: number, undo: () => void}} Cast
 */
import * as commands from '../commands.js';
import { applyAnswer, vote } from '../../live/thread.js';
import { itemName } from '../../page/names.js';
import { StoredNumbers } from './storedNumbers.js';
import { newKey } from '../../page/browser.js';

/** A vote that did not get through is tried again so often, and when the browser finds a network. */
const AGAIN_MS = 20_000;

export class Voting {
  #context;
  #announcer;
  #key;
  /** @type {StoredNumbers | undefined} */
  #stored;
  /** Votes on each comment that wait for their answers, in the order in which they were given. @type {Map<string, Cast[]>} */
  #pending = new Map();

  /** @param {Context} context @param {Announcer} announcer @param {() => string} [key] That of who has no token. */
  constructor(context, announcer, key = newKey) {
    this.#context = context;
    this.#announcer = announcer;
    this.#key = key;
  }

  start() {
    const { settings: { place }, storage } = this.#context;
    this.#stored = new StoredNumbers(storage, itemName('votes', place, place.key));
    for (const [id, value] of Object.entries(this.#stored.all)) this.#cast(id, value);
  }

  /** A request that is under way outlives the element, but nobody waits for another: what opens next sends what is kept. */
  stop() {
    for (const [id, pending] of this.#pending) this.#stored?.set(id, last(pending));
  }

  /** Votes, or takes the same vote back. @param {string} id @param {1 | -1} way */
  vote(id, way) {
    return this.#cast(id, this.#context.cards.vote(id) === way ? 0 : way);
  }

  /** @param {string} id @param {number} value */
  async #cast(id, value) {
    const cast = { value, undo: this.#show(id, value) };
    const pending = this.#pending.get(id) ?? [];
    pending.push(cast);
    if (pending.length > 1) return;
    this.#pending.set(id, pending);
    await this.#send(id, pending);
    this.#pending.delete(id);
    this.#context.list.update(id);
  }

  /** @param {string} id @param {number} value @returns {() => void} Takes it back. */
  #show(id, value) {
    const undo = vote(this.#context.thread, id, value);
    this.#context.list.update(id);
    return undo;
  }

  /** One request after another, so that the last vote is the one that counts; more may be given meanwhile. @param {string} id @param {Cast[]} pending */
  async #send(id, pending) {
    const { api, signal } = this.#context;
    let answered = 0;
    try {
      while (answered < pending.length && !signal.aborted) {
        const answer = await commands.vote(commands.lasting(api), id, pending[answered].value, this.#key()).catch((error) => this.#keep(id, pending, error));
        if (!answer) continue;
        if (++answered < pending.length) continue;
        const { thread } = this.#context;
        vote(thread, id, answer.value);
        applyAnswer(thread, id, { votes: answer.votes }, answer.seq);
        this.#forget(id, pending);
      }
    } catch (error) {
      this.#forget(id, pending);
      for (const { undo } of pending.slice(answered).reverse()) undo();
      this.#announcer.error(error);
    }
  }

  /** What was opened since may keep another vote. @param {string} id @param {Cast[]} pending */
  #forget(id, pending) {
    if (!this.#context.signal.aborted || this.#stored?.all[id] === last(pending)) this.#stored?.set(id);
  }

  /** Keeps the last vote where there is no connection, and waits for one. Throws where it is refused, or cannot be kept. @param {string} id @param {Cast[]} pending @param {ApiError} error */
  async #keep(id, pending, error) {
    const { signal } = this.#context;
    const isLost = error.status === 0 || error.status >= 500;
    if (isLost && signal.aborted) return;
    if (!isLost || !this.#stored?.set(id, last(pending))) throw error;
    await new Promise((again) => {
      addEventListener('online', again, { signal, once: true });
      signal.addEventListener('abort', again, { once: true });
      setTimeout(again, AGAIN_MS);
    });
  }
}

/** @param {Cast[]} pending */
const last = (pending) => pending[pending.length - 1].value;
