/**
 * Work that is asked for often and done once for all who asked meanwhile: never twice at a time, and with a pause between.
 *
 * @import { Platform } from '../page/browser.js'
 */
export class Coalesced {
  #work;
  #pauseMs;
  #platform;
  /** @type {Promise<void> | null} What is under way. */
  #running = null;
  /** @type {Promise<void> | null} What comes after it. */
  #next = null;

  /** @param {() => Promise<void>} work @param {number} pauseMs @param {Platform} platform */
  constructor(work, pauseMs, platform) {
    this.#work = work;
    this.#pauseMs = pauseMs;
    this.#platform = platform;
  }

  /** Settles once it was done after this call. @returns {Promise<void>} */
  ask() {
    if (!this.#running) return this.#run();
    return (this.#next ??= this.#running.catch(() => {}).then(() => this.#paused()).then(() => {
      this.#next = null;
      return this.#run();
    }));
  }

  /** @returns {Promise<void>} */
  #run() {
    const running = this.#work().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    return (this.#running = running);
  }

  /** @returns {Promise<void>} */
  #paused() {
    return new Promise((resolve) => this.#platform.setTimeout(resolve, this.#pauseMs));
  }
}
