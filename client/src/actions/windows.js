/**
 * Whether other windows show the discussion. Once one does, the file is loaded with which they share a connection; so it
 * is where no socket gets through, since it has the other ways, too.
 *
 * @import { Mode, Transport } from '../live/transports.js'
 * @import { Context } from './context.js'
 */
import { itemName } from '../page/names.js';
import { loadSharing } from '../sharing/load.js';

export class Windows {
  #context;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {Promise<void> | undefined} */
  #shared;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    const { signal } = this.#context;
    addEventListener('pagehide', () => this.stop(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && this.#look(), { signal });
    this.#look();
  }

  /** An open channel would keep the page out of the back/forward cache. */
  stop() {
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** A way to receive that needs no socket. @param {Mode} mode @returns {Promise<Transport>} */
  async transport(mode) {
    await this.#share();
    return this.#context.live.transports[mode];
  }

  /** Asks who leads; whoever else asks, or answers, is another window. */
  #look() {
    if (this.#shared) return;
    const { place } = this.#context.settings;
    try {
      this.#channel = new BroadcastChannel(itemName('live', place, place.key));
    } catch {
      return;
    }
    this.#channel.onmessage = () => this.#share().catch(() => {});
    this.#channel.postMessage({ type: 'join', from: '' });
  }

  #share() {
    this.#shared ??= loadSharing().then(
      ({ share }) => {
        this.stop();
        if (!this.#context.signal.aborted) share(this.#context);
      },
      (error) => {
        this.#shared = undefined;
        throw error;
      },
    );
    return this.#shared;
  }
}
