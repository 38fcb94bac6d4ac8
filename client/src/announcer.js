/** What screen readers are told. They queue every message, so arrivals are counted together, at most once in 5 s. */
import { h } from './dom.js';

const PAUSE_MS = 5000;

export class Announcer {
  element = h('p', { class: 'unseen', role: 'status' });
  #sentence;
  #count = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(n: number) => string} sentence About n arrivals. */
  constructor(sentence) {
    this.#sentence = sentence;
  }

  /** @param {number} n */
  arrived(n) {
    this.#count += n;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.say(this.#sentence(this.#count));
      this.#count = 0;
    }, PAUSE_MS);
  }

  /** Now; a new text node, so that the same sentence is told again. @param {string} sentence */
  say(sentence) {
    this.element.replaceChildren(sentence);
  }

  close() {
    clearTimeout(this.#timer);
  }
}
