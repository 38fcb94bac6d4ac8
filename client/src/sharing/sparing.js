/**
 * Server-Sent Events where a connection can be spared for them, otherwise asking again and again.
 *
 * Over HTTP/1.1 a browser has six connections to a host, for all windows of a site together, and a stream holds one for as
 * long as it is open: six streams, and nothing can be loaded or posted any more. So two windows at most have a stream to
 * one server, whatever they show, and none that is hidden. There is no place where they are counted: who wants one asks
 * all others, and those that have one say so. Nobody has to tell of an end, then; a window that crashed says nothing.
 *
 *     seen ── open, "want" ── 250 ms: fewer than two said "have" ──▶ events
 *                               └─ two did ──▶ poll ── one is free, seen again, a minute later ──▶ "want"
 *     hidden ──▶ poll
 *
 * @import { Cursor } from '../live/wire.js'
 * @import { Handlers, Link, Transport } from '../live/transports.js'
 * @import { Platform } from '../page/browser.js'
 *
 * @typedef {Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>} Channel
 *
 * @typedef {object} Page The window, as far as connections depend on it.
 * @property {() => boolean} isHidden
 * @property {(work: () => void) => () => void} onVisibility Calls it at each change, until what it returns is called.
 *
 * @typedef {object} Options
 * @property {Transport} events
 * @property {Transport} poll
 * @property {() => Cursor} cursor Where the discussion stands now.
 * @property {() => Channel | undefined} openChannel To all windows that have streams to the server; without any nobody has a stream.
 * @property {Page} page
 * @property {Platform} platform
 */
const STREAMS = 2;
const ASK_MS = 250;
const AGAIN_MS = 60_000;
const SPREAD_MS = 1000;

/** @param {Options} options @returns {Transport} */
export const sparingTransport = (options) => (_, handlers) => new Sparing(options, handlers);

/** @implements {Link} */
class Sparing {
  #options;
  #handlers;
  #channel;
  #stopWatching;
  /** @type {Link | undefined} */
  #link;
  /** @type {'events' | 'poll' | undefined} */
  #kind;
  /** Of the last question, and of this window; the lower number was first. */
  #number = 0;
  #isAsking = false;
  /** Those that have a stream, or want one and were first. @type {Set<number>} */
  #others = new Set();
  /** @type {any} */
  #timer;

  /** @param {Options} options @param {Handlers} handlers */
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#channel = options.openChannel();
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#stopWatching = options.page.onVisibility(() => this.#choose());
    this.#choose();
  }

  close() {
    this.#stopWatching();
    this.#options.platform.clearTimeout(this.#timer);
    this.#link?.close();
    this.#giveBack();
    this.#channel?.close();
  }

  #choose() {
    const { page } = this.#options;
    if (!this.#channel || page.isHidden()) this.#use('poll');
    else if (this.#kind !== 'events') this.#ask();
  }

  #ask() {
    this.#number = this.#options.platform.random();
    this.#others.clear();
    this.#isAsking = true;
    this.#channel?.postMessage({ type: 'want', number: this.#number });
    // whoever is alone, as most are, need not wait for the answer
    if (!this.#kind) this.#use('events', true);
    this.#setTimer(ASK_MS, () => this.#use(this.#others.size < STREAMS ? 'events' : 'poll'));
  }

  /** @param {{type: string, number: number, to?: number}} message */
  #hear({ type, number, to }) {
    if (type === 'want') {
      const isFirst = this.#isAsking ? this.#number < number : this.#kind === 'events';
      if (isFirst) this.#channel?.postMessage({ type: 'have', number: this.#number, to: number });
      else if (this.#isAsking) this.#others.add(number);
    } else if (type === 'have' && to === this.#number) this.#others.add(number);
    else if (type === 'free' && this.#kind === 'poll' && !this.#isAsking) {
      this.#setTimer(this.#options.platform.random() * SPREAD_MS, () => this.#choose());
    }
  }

  /** @param {'events' | 'poll'} kind @param {boolean} [isAsking] */
  #use(kind, isAsking = false) {
    if (kind !== this.#kind) this.#giveBack();
    this.#isAsking = isAsking;
    this.#setTimer(AGAIN_MS, () => this.#choose());
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#link?.close();
    const link = this.#options[kind](this.#options.cursor(), {
      message: (message) => link === this.#link && this.#handlers.message(message),
      closed: (code, reason) => link === this.#link && this.#handlers.closed(code, reason),
    });
    this.#link = link;
  }

  #giveBack() {
    if (this.#kind === 'events' && !this.#isAsking) this.#channel?.postMessage({ type: 'free' });
  }

  /** @param {number} ms @param {() => void} work */
  #setTimer(ms, work) {
    this.#options.platform.clearTimeout(this.#timer);
    this.#timer = this.#options.platform.setTimeout(work, ms);
  }
}
