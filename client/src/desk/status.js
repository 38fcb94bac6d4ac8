/**
 * The line that says what was done, for eyes and screen readers alike.
 */
import { h } from '../page/dom.js';

export class Status {
  #line;

  /** @param {HTMLElement} line */
  constructor(line) {
    this.#line = line;
  }

  /** In a new node, so that a repeated sentence is read out again. @param {string} sentence */
  say(sentence) {
    this.#line.replaceChildren(h('span', {}, sentence));
  }
}
