/**
 * What screen readers say. They queue every message, so arrivals are counted together, at most once in 5 s.
 *
 * @import { ApiError } from '../live/api.js'
 * @import { Context } from './context.js'
 */
const PAUSE_MS = 5000;

export class Announcer {
  #context;
  #count = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Counts arrivals, whether they are shown or wait. @param {number} n */
  arrived(n) {
    const { settings, t } = this.#context;
    if (n < 0 || !settings.isAnnounced) return;
    this.#count += n;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.announce(t('new_comments', { n: this.#count }));
      this.#count = 0;
    }, PAUSE_MS);
  }

  /** Now; in a new text node, so that a repeated sentence is read out again. @param {string} sentence */
  announce(sentence) {
    this.#context.view.liveRegion.replaceChildren(sentence);
  }

  /** What went wrong, as a sentence. @param {unknown} error */
  sentence(error) {
    return /** @type {ApiError} */ (error).detail || this.#context.t('failed');
  }

  /** Announces an error, and tells the page. @param {unknown} error */
  error(error) {
    if (this.#context.signal.aborted) return;
    this.announce(this.sentence(error));
    const { status, code } = /** @type {ApiError} */ (error);
    this.#context.emit('error', { error: { status, code } });
  }
}
