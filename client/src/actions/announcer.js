/**
 * What screen readers are told. They queue every message, so arrivals are counted together, at most once in 5 s.
 *
 * @import { Session } from '../session.js'
 */
const PAUSE_MS = 5000;

export class Announcer {
  #session;
  #count = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** Whether they are shown or wait. @param {number} n */
  arrived(n) {
    if (n < 0 || !this.#session.settings.isAnnounced) return;
    this.#count += n;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.announce(this.#session.t('new_comments', { n: this.#count }));
      this.#count = 0;
    }, PAUSE_MS);
  }

  /** Now; a new text node, so that the same sentence is told again. @param {string} sentence */
  announce(sentence) {
    this.#session.view.liveRegion.replaceChildren(sentence);
  }

  close() {
    clearTimeout(this.#timer);
  }
}
