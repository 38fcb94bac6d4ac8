/**
 * How many comments wait. They are always asked for, never added up: what a console missed cannot make them wrong.
 *
 * @import { Counts, Requests } from './requests.js'
 * @import { Platform } from '../page/browser.js'
 */
import { setText } from '../page/dom.js';
import { Coalesced } from './coalesced.js';

const PAUSE_MS = 500;
const QUEUES = /** @type {const} */ (['waiting', 'reported', 'suspected']);

export class CountLine {
  #root;
  #requests;
  #number;
  #asking;
  /** @type {Counts | null} */
  newest = null;
  /** @type {(all: number) => void} */
  onchange = () => {};

  /** @param {HTMLElement} root @param {Requests} requests @param {string} language @param {Platform} platform */
  constructor(root, requests, language, platform) {
    this.#root = root;
    this.#requests = requests;
    this.#number = new Intl.NumberFormat(language, { numberingSystem: 'latn' });
    this.#asking = new Coalesced(() => this.#ask(), PAUSE_MS, platform);
  }

  /** Settles when they are those of a moment after this call. */
  ask() {
    return this.#asking.ask();
  }

  async #ask() {
    this.#show(await this.#requests.counts());
  }

  /** @param {Counts} counts */
  #show(counts) {
    this.newest = counts;
    for (const name of QUEUES) {
      const shown = this.#root.querySelector(`[data-count="${name}"]`);
      if (shown) setText(shown, this.#number.format(counts[name]));
    }
    this.onchange(QUEUES.reduce((sum, name) => sum + counts[name], 0));
  }
}
