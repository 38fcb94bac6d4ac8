/**
 * Keeps one live connection to a discussion, whatever carries it.
 *
 *     connecting ── hello ──▶ live ── closed, silent, hole ──▶ waiting ── back-off ──▶ connecting
 *         └─ twice without hello, and plain GET works ──▶ next mode: socket → events → poll
 *     offline, hidden, away: closed until the page is back      stopped: the server said not to come again
 *
 * Time, chance and the network are handed in.
 *
 * @import { Cursor, Message } from './wire.js'
 * @import { Link, Mode, Transport } from './transports.js'
 *
 * @typedef {'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'asleep' | 'stopped'} State
 * @typedef {'ok' | 'hole' | 'reset'} Taken
 *
 * @typedef {object} World
 * @property {(work: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random
 * @property {() => boolean} isOnline
 *
 * @typedef {object} Options
 * @property {Record<Mode, Transport>} transports
 * @property {() => Cursor} cursor Where to go on.
 * @property {(message: Message) => Taken} deliver
 * @property {() => void} reset The cursor cannot be continued; call `start` again with a new one.
 * @property {() => Promise<boolean>} probe Whether a plain GET works.
 * @property {(state: State) => void} changed
 * @property {World} world
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
  #world;
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
    this.#world = options.world;
    this.#backoff = new Backoff(options.world.random);
  }

  /** Connects, unless it is connected or was told to stop. */
  start() {
    if (this.#link || this.state === 'stopped') return;
    if (!this.#world.isOnline()) return this.#rest('offline');
    this.#drop();
    this.#set('connecting');
    this.#isOpened = false;
    this.#after('open', OPEN_MS, () => this.#lost(0, ''));
    const link = this.#options.transports[this.mode](this.#options.cursor(), {
      message: (message) => link === this.#link && this.#hear(message),
      closed: (code, reason) => link === this.#link && this.#lost(code, reason),
    });
    this.#link = link;
  }

  /** Ends for good. */
  close() {
    this.#clear('hidden');
    this.#rest('idle');
  }

  /** @param {object} message */
  send(message) {
    if (this.state === 'live') this.#link?.send?.(JSON.stringify(message));
  }

  // ---- the page -----------------------------------------------------------------------------------------

  /** The network is back: what failed before may work now, the best mode included. */
  online() {
    if (this.state === 'live' || this.state === 'idle') return;
    if (this.state !== 'stopped') this.#use(MODES[0]);
    this.#now();
  }

  offline() {
    if (this.state !== 'idle' && this.state !== 'stopped') this.#rest('offline');
  }

  hidden() {
    this.#after('hidden', HIDDEN_MS, () => this.away());
  }

  /** The page is seen again, or was restored from the back/forward cache. */
  visible() {
    this.#clear('hidden');
    if (this.state === 'waiting' || this.state === 'asleep' || this.state === 'offline') this.#now();
  }

  /** The page is left; an open connection would keep it out of the back/forward cache. */
  away() {
    if (this.state !== 'idle' && this.state !== 'stopped') this.#rest('asleep');
  }

  // ---- the connection -----------------------------------------------------------------------------------

  /** @param {Message} message */
  #hear(message) {
    if (message.type === 'hello') this.#heartbeat = message.heartbeat ?? this.#heartbeat;
    this.#after('silence', this.#heartbeat * SILENCE_OF_HEARTBEAT * 1000, () => this.#lost(0, ''));
    if (!this.#isOpened) this.#opened();
    const taken = this.#options.deliver(message);
    if (taken === 'hole') this.#lost(0, '');
    if (taken === 'reset') {
      this.#rest('waiting');
      this.#options.reset();
    }
  }

  #opened() {
    this.#isOpened = true;
    this.#failures = 0;
    this.#clear('open');
    this.#after('settled', SETTLED_MS, () => this.#backoff.reset());
    this.#set('live');
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    const isUnopened = !this.#isOpened;
    this.#drop();
    if (STOP.has(code)) return this.#rest('stopped');
    if (!this.#world.isOnline()) return this.#rest('offline');
    this.#set('waiting');
    if (isUnopened && code < 4000 && ++this.#failures >= 2) this.#fallBack();
    else this.#after('again', this.#delay(code, reason), () => this.start());
  }

  /** @param {number} code @param {string} reason */
  #delay(code, reason) {
    if (code === 4408) return 0;
    if (code === 1012) return this.#world.random() * 5000;
    if (code === 4429) return Number(reason) || this.#backoff.next();
    return this.#backoff.next();
  }

  /** The next mode, if the server can be reached at all; a server that is down is no reason to change it. */
  #fallBack() {
    const next = MODES[MODES.indexOf(this.mode) + 1];
    const mode = this.mode;
    const again = () => this.#after('again', this.#backoff.next(), () => this.start());
    if (!next) return again();
    this.#options.probe().then((isReachable) => {
      if (this.state !== 'waiting' || this.mode !== mode || this.#timers.has('again')) return;
      if (!isReachable) return again();
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

  #now() {
    this.#clear('again');
    this.start();
  }

  /** @param {State} state */
  #rest(state) {
    this.#drop();
    this.#set(state);
  }

  /** Handlers and timers go before the connection, so that a late close cannot start a second one. */
  #drop() {
    for (const name of [...this.#timers.keys()]) if (name !== 'hidden') this.#clear(name);
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
  #after(name, ms, work) {
    this.#clear(name);
    const timer = this.#world.setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, ms);
    this.#timers.set(name, timer);
  }

  /** @param {string} name */
  #clear(name) {
    this.#world.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
