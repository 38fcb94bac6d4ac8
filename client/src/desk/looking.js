/**
 * Who looks at what: tells the others of the card that has the focus, and shows where they are.
 *
 *     focus ──▶ said at once, then with every step at most once a second, and again every 10 s
 *     hidden, or no card ──▶ said that nothing is looked at
 *
 * @import { Looker } from './log.js'
 * @import { Platform } from '../page/browser.js'
 */
const PAUSE_MS = 1000;
const AGAIN_MS = 10_000;

export class Looking {
  #send;
  #platform;
  /** @type {string | null} */
  #at = null;
  /** @type {string | null} What was said last. */
  #said = null;
  /** @type {any} */
  #pause = null;
  /** @type {any} */
  #again = null;

  /** @param {(message: object) => void} send @param {Platform} platform */
  constructor(send, platform) {
    this.#send = send;
    this.#platform = platform;
  }

  /** @param {string | null} id */
  at(id) {
    this.#at = id;
    if (this.#pause === null && this.#at !== this.#said) this.#say();
  }

  /** The connection is new: nothing has been said on it. */
  anew() {
    this.#said = null;
    this.at(this.#at);
  }

  #say() {
    const { setTimeout, clearTimeout } = this.#platform;
    this.#said = this.#at;
    this.#send({ type: 'looking', comment_id: this.#at });
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.at(this.#at);
    }, PAUSE_MS);
    clearTimeout(this.#again);
    this.#again = this.#at && setTimeout(() => this.#say(), AGAIN_MS);
  }
}

/** @param {Looker[]} people @returns {Map<string, string[]>} Names by the comment that they look at. */
export function byComment(people) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const { comment_id, name } of people) found.set(comment_id, [...(found.get(comment_id) ?? []), name]);
  return found;
}
