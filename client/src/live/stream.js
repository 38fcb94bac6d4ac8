/**
 * Keeps one live connection to a discussion, whatever carries it.
 *
 *     connecting ── hello ──▶ live ── closed, silent, gap ──▶ waiting ── back-off ──▶ connecting
 *         └─ twice without hello, and plain GET works ──▶ next mode: socket → events → poll
 *     hidden, away: closed until the page is back      stopped: the server refused for good
 *     offline: waiting, while the browser says that there is no network; it may be wrong, so the attempts go on
 *
 * Time, chance and the network are handed in.
 *
 * @import { Message } from './wire.js'
 * @import { Platform } from '../page/browser.js'
 * @import { Change, Thread } from './thread.js'
 * @import { Link, Mode, Transport } from './transports.js'
 *
 * @typedef {'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'asleep' | 'stopped'} State
 *
 * @typedef {object} Options
 * @property {Record<Mode, Transport>} transports
 * @property {() => Pick<Thread, 'cursor' | 'receive'>} thread What takes the messages, and knows where to go on.
 * @property {(message: Message, changes: Change[]) => void} received The thread has taken the message.
 * @property {() => void} reset The cursor cannot be continued; call `start` again with a new one.
 * @property {() => Promise<boolean>} probe Whether a plain GET works.
 * @property {(state: State) => void} changed
 * @property {Platform} platform
 */
import { Backoff } from './backoff.js';

/** @type {Mode[]} */
const MODES = ['socket', 'events', 'poll'];
const OPEN_MS = 10_000;
const SETTLED_MS = 10_000;
const HIDDEN_MS = 5 * 60_000;
const SILENCE_OF_HEARTBEAT = 1.8;
const STOP = new Set([4400, 4403, 4410]);

export class Stream {
  /** @type {State} */
  state = 'idle';
  /** @type {Mode} */
  mode = MODES[0];
  #options;
  #platform;
  #backoff;
  /** @type {Link | null} */
  #link = null;
  /** One timer of each name. @type {Map<string, any>} */
  #timers = new Map();
  #heartbeat = 25;
  #isOpened = false;
  #failures = 0;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#platform = options.platform;
    this.#backoff = new Backoff(options.platform.random);
  }

  /** Connects, unless it is connected or was refused for good. */
  start() {
    if (this.#link || this.state === 'stopped') return;
    this.#drop();
    this.#set('connecting');
    this.#isOpened = false;
    this.#setTimer('open', OPEN_MS, () => this.#lost(0, ''));
    const link = this.#options.transports[this.mode](this.#options.thread().cursor, {
      message: (message) => link === this.#link && this.#receive(message),
      closed: (code, reason) => link === this.#link && this.#lost(code, reason),
    });
    this.#link = link;
  }

  /** Ends for good. */
  close() {
    this.#clearTimer('hidden');
    this.#stop('idle');
  }

  /** @param {object} message */
  send(message) {
    if (this.state === 'live') this.#link?.send?.(JSON.stringify(message));
  }

  // ---- the page -----------------------------------------------------------------------------------------

  /** The network is back: what failed before may work now, the best mode included. */
  online() {
    if (this.state === 'live' || this.state === 'idle' || this.state === 'stopped') return;
    this.#drop();
    this.#use(MODES[0]);
    this.start();
  }

  /** The browser says that the network is gone; whether it is, the next attempt shows. */
  offline() {
    if (this.state === 'live') this.#lost(0, '');
    if (this.state === 'waiting') this.#set('offline');
  }

  hidden() {
    this.#setTimer('hidden', HIDDEN_MS, () => this.away());
  }

  /** The page is seen again, or was restored from the back/forward cache. */
  visible() {
    this.#clearTimer('hidden');
    if (this.state === 'waiting' || this.state === 'asleep' || this.state === 'offline') this.start();
  }

  /** The page is left; an open connection would keep it out of the back/forward cache. */
  away() {
    if (this.state !== 'idle' && this.state !== 'stopped') this.#stop('asleep');
  }

  // ---- the connection -----------------------------------------------------------------------------------

  /** @param {Message} message */
  #receive(message) {
    if (message.type === 'hello') this.#heartbeat = message.heartbeat ?? this.#heartbeat;
    this.#setTimer('silence', this.#heartbeat * SILENCE_OF_HEARTBEAT * 1000, () => this.#lost(0, ''));
    if (!this.#isOpened) this.#opened();
    /** @type {Change[]} */
    const changes = [];
    const result = this.#options.thread().receive(message, changes);
    this.#options.received(message, changes);
    if (result === 'gap') this.#lost(0, '');
    if (result === 'reset') {
      this.#stop('waiting');
      this.#options.reset();
    }
  }

  #opened() {
    this.#isOpened = true;
    this.#failures = 0;
    this.#clearTimer('open');
    this.#setTimer('settled', SETTLED_MS, () => this.#backoff.reset());
    this.#set('live');
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    const isUnopened = !this.#isOpened;
    this.#drop();
    if (STOP.has(code)) return this.#stop('stopped');
    this.#set(this.#platform.isOnline() ? 'waiting' : 'offline');
    if (isUnopened && code < 4000 && ++this.#failures >= 2) this.#fallBack();
    else this.#setTimer('again', this.#delay(code, reason), () => this.start());
  }

  /** @param {number} code @param {string} reason */
  #delay(code, reason) {
    if (code === 4408) return 0;
    if (code === 1012) return this.#platform.random() * 5000;
    if (code === 4429) return Number(reason) || this.#backoff.next();
    return this.#backoff.next();
  }

  /** The next mode, if the server can be reached at all; a server that is down is no reason to change it. */
  #fallBack() {
    const next = MODES[MODES.indexOf(this.mode) + 1];
    const again = (/** @type {number} */ ms) => this.#setTimer('again', ms, () => this.start());
    if (!next) return again(this.#backoff.next());
    // a request may wait for ever, where the browser has no connection to spare for it
    again(OPEN_MS);
    const timer = this.#timers.get('again');
    this.#options.probe().then((isReachable) => {
      if (this.#timers.get('again') !== timer) return;
      if (!isReachable) return again(this.#backoff.next());
      this.#use(next);
      this.start();
    });
  }

  /** @param {Mode} mode */
  #use(mode) {
    this.mode = mode;
    this.#failures = 0;
    this.#backoff.reset();
  }

  /** @param {State} state */
  #stop(state) {
    this.#drop();
    this.#set(state);
  }

  /** Handlers and timers go before the connection, so that a late close cannot start a second one. */
  #drop() {
    for (const name of [...this.#timers.keys()]) if (name !== 'hidden') this.#clearTimer(name);
    const link = this.#link;
    this.#link = null;
    link?.close();
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.#options.changed(state);
  }

  /** @param {string} name @param {number} ms @param {() => void} work */
  #setTimer(name, ms, work) {
    this.#clearTimer(name);
    const timer = this.#platform.setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, ms);
    this.#timers.set(name, timer);
  }

  /** @param {string} name */
  #clearTimer(name) {
    this.#platform.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
