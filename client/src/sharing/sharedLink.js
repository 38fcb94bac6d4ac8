/**
 * One connection for all windows of a browser that show a discussion: one of them leads, the others follow it.
 *
 *     joining ── the lock is mine ──▶ leading: own connection, whose messages all others are told
 *        ├────── a leader is live ──▶ following: takes what it is told; what was before comes over HTTP
 *        └────── no leader answers: takes the lock from its holder, which must be frozen
 *     following ── the lock is mine, or no leader answers any more ──▶ leading
 *     alone: own connection, of which nobody is told. No locks here, or the leader stands in another epoch, or the lock was
 *            taken away; then it follows as soon as a leader of its epoch is live
 *
 * Who leads holds a Web Lock, which ends with the window whatever becomes of it; the next in the queue has it at once. A
 * frozen window keeps it and says nothing: who has heard nothing for ten seconds asks, and takes the lock where no answer
 * comes. Answers are given on a message, not by a timer, since those of hidden windows are slowed down.
 *
 * Nobody trusts what is told more than what a connection brings: events count by epoch and seq, a gap ends the link, and
 * the next one begins by reading what is missing. A stream has nothing in it that not every reader may see.
 *
 * @import { Cursor, Message } from '../live/wire.js'
 * @import { Handlers, Link, Transport } from '../live/transports.js'
 * @import { Platform } from '../page/browser.js'
 * @import { Ask } from './fallbacks.js'
 * @import { Channel, Page } from './sparing.js'
 *
 * @typedef {Pick<LockManager, 'request'>} Locks
 *
 * @typedef {object} Options
 * @property {string} name Of the lock: the same for all windows of the discussion.
 * @property {Locks | undefined} locks
 * @property {() => Channel | undefined} openChannel To all windows of the discussion.
 * @property {Ask} ask
 * @property {() => Cursor} cursor Where the discussion stands now.
 * @property {() => number} now In ms.
 * @property {Page} page
 * @property {Platform} platform
 *
 * @typedef {{epoch: string, seq: number, heartbeat?: number, readers?: number}} Greeting
 *
 * @typedef {object} Told What windows say to each other. `join`, `ping`: who leads? `lead`: I do; I am live with a greeting.
 * `told`: a message of the connection. `lost`: it is lost, and why. `send`: to be sent.
 * @property {'join' | 'ping' | 'lead' | 'told' | 'lost' | 'send'} type
 * @property {string} from
 * @property {Greeting} [greeting]
 * @property {string} [epoch] That the leader stands in.
 * @property {Message} [message]
 * @property {number} [code]
 * @property {string} [reason]
 * @property {string} [text]
 */
import { messagesOf } from './fallbacks.js';

/** As long as a window that is busy with loading may take to answer. */
const JOIN_MS = 1500;
const QUIET_MS = 10_000;
const ANSWER_MS = 3000;
const ALONE_MS = 30_000;
const OPEN_MS = 10_000;
const LOST_MS = 100;
/** As the client of the connection takes it. */
const STILL_WRITING_MS = 6000;
/** Tells the stream to come again after its back-off, and not to take the mode for impossible. */
const AGAIN = 4000;

/**
 * @param {Options} options
 * @param {Transport} own
 * @param {boolean} isSparing Only a window that is seen may lead: others have no stream that is worth sharing.
 * @returns {Transport}
 */
export const sharedTransport = (options, own, isSparing) => (_, handlers) => new SharedLink(options, own, isSparing, handlers);

/** @implements {Link} */
class SharedLink {
  #options;
  #openOwn;
  #isSparing;
  #handlers;
  #channel;
  #stopWatching = () => {};
  #isClosed = false;
  #id;
  /** The own connection. @type {Link | undefined} */
  #own;
  /** Whether it has brought something. */
  #isLive = false;
  #isLeading = false;
  /** Who is followed. @type {string | undefined} */
  #leader;
  /** What was told while what was before is being read. @type {Message[] | undefined} */
  #early;
  /** @type {Pick<Greeting, 'heartbeat' | 'readers'>} */
  #known = {};
  /** Gives the lock back, or the place in its queue. */
  #leaveQueue = () => {};
  #isQueued = false;
  #wroteAt = -Infinity;
  /** When another window of this browser wrote. */
  #otherWroteAt = -Infinity;
  /** @type {Map<string, any>} */
  #timers = new Map();

  /** @param {Options} options @param {Transport} own @param {boolean} isSparing @param {Handlers} handlers */
  constructor(options, own, isSparing, handlers) {
    this.#options = options;
    this.#openOwn = own;
    this.#isSparing = isSparing;
    this.#handlers = handlers;
    this.#id = String(options.platform.random());
    this.#channel = options.locks && options.openChannel();
    if (!this.#channel) this.#goAlone();
    else this.#join(this.#channel);
  }

  /** @param {Channel} channel */
  #join(channel) {
    channel.onmessage = ({ data }) => this.#hear(data);
    if (this.#isSparing) this.#stopWatching = this.#options.page.onVisibility(() => this.#queue());
    this.#say({ type: 'join' });
    this.#setTimer('quiet', JOIN_MS, () => this.#silence());
    this.#queue();
  }

  close() {
    this.#isClosed = true;
    this.#stopWatching();
    for (const name of this.#timers.keys()) this.#clearTimer(name);
    this.#own?.close();
    this.#leaveQueue();
    this.#channel?.close();
  }

  /** @param {string} text */
  send(text) {
    this.#wroteAt = this.#options.now();
    this.#own?.send?.(text);
    if (this.#isLeading || this.#leader) this.#say({ type: 'send', text });
  }

  // ---- the lock -----------------------------------------------------------------------------------------

  get #mayLead() {
    return !(this.#isSparing && this.#options.page.isHidden());
  }

  /** Waits for the lock, or gives it up, as the window may lead. */
  #queue() {
    if (this.#mayLead && !this.#isQueued) this.#request();
    if (this.#mayLead || !this.#isQueued) return;
    this.#leaveQueue();
    if (this.#isLeading) this.#goAlone();
  }

  /** @param {boolean} [isTaking] From whom holds it. */
  async #request(isTaking = false) {
    this.#leaveQueue();
    let isCurrent = true;
    let isGranted = false;
    let release = () => {};
    const leaving = new AbortController();
    this.#isQueued = true;
    this.#leaveQueue = () => {
      this.#clearTimer('lead');
      isCurrent = this.#isQueued = false;
      leaving.abort();
      release();
    };
    try {
      const options = isTaking ? { steal: true } : { signal: leaving.signal };
      await /** @type {Locks} */ (this.#options.locks).request(this.#options.name, options, () => {
        if (!isCurrent) return undefined;
        isGranted = true;
        // where the connection was lost, that is told, and every window waits as the server wants it to
        if (this.#leader) this.#setTimer('lead', LOST_MS, () => this.#lead());
        else this.#lead();
        return new Promise((resolve) => (release = () => resolve(undefined)));
      });
    } catch {
      if (!isCurrent) return;
      this.#clearTimer('lead');
      this.#isQueued = false;
      // another window has taken it, or there are no locks here
      this.#askAlone();
      if (isGranted) this.#queue();
    }
  }

  #lead() {
    this.#isLeading = true;
    this.#unfollow();
    if (!this.#own) this.#open();
    this.#sayThatItLeads();
  }

  #sayThatItLeads() {
    const greeting = this.#isLive ? { ...this.#options.cursor(), ...this.#known } : undefined;
    this.#say({ type: 'lead', greeting });
  }

  // ---- the own connection -------------------------------------------------------------------------------

  /** Until who leads can be followed, which it asks for again and again. */
  #goAlone() {
    this.#isLeading = false;
    this.#unfollow();
    if (!this.#own) this.#open();
    if (this.#channel) this.#setTimer('quiet', ALONE_MS, () => this.#askAlone());
  }

  #askAlone() {
    this.#say({ type: 'ping' });
    this.#goAlone();
  }

  #open() {
    this.#isLive = false;
    this.#setTimer('open', OPEN_MS, () => this.#lost(0, ''));
    const own = this.#openOwn(this.#options.cursor(), {
      message: (message) => own === this.#own && this.#received(message),
      closed: (code, reason) => own === this.#own && this.#lost(code, reason),
    });
    this.#own = own;
  }

  /** @param {Message} message */
  #received(message) {
    const wasLive = this.#isLive;
    this.#isLive = true;
    this.#clearTimer('open');
    const { heartbeat = this.#known.heartbeat, readers = this.#known.readers } = message;
    this.#known = { heartbeat, readers };
    if (this.#isLeading) this.#say({ type: 'told', message, epoch: this.#options.cursor().epoch });
    this.#deliver(message);
    if (!wasLive && this.#isLeading && !this.#isClosed) this.#sayThatItLeads();
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    if (this.#isLeading) this.#say({ type: 'lost', code, reason });
    this.#handlers.closed(code, reason);
  }

  // ---- following ----------------------------------------------------------------------------------------

  /** @param {Told} told */
  #hear(told) {
    const { type, from } = told;
    if (type === 'send') this.#otherWroteAt = this.#options.now();
    if (this.#isLeading) this.#answer(told);
    else if (type === 'lead') this.#hearLeader(told);
    else if (from === this.#leader) this.#hearMessage(told);
    // that of another window, which this one has waited for
    else if (type === 'lost' && !this.#own && !this.#leader) this.#handlers.closed(AGAIN, '');
  }

  /** @param {Told} told */
  #answer({ type, text = '' }) {
    if (type === 'join' || type === 'ping') this.#sayThatItLeads();
    if (type === 'send') this.#own?.send?.(text);
  }

  /** @param {Told} told */
  #hearLeader({ from, greeting }) {
    const { epoch, seq } = this.#options.cursor();
    if (greeting && greeting.epoch !== epoch) return this.#goAlone();
    if (!this.#own) this.#heard();
    const isBehind = !this.#early && greeting && greeting.seq > seq;
    if (greeting && (from !== this.#leader || isBehind)) this.#follow(from, greeting);
  }

  /** @param {Told} told */
  #hearMessage({ type, epoch, message, code = 0, reason = '' }) {
    this.#heard();
    if (type === 'lost') this.#handlers.closed(Math.max(code, AGAIN), reason);
    else if (message && epoch !== this.#options.cursor().epoch) this.#goAlone();
    else if (message) this.#take(message);
  }

  /** @param {string} from @param {Greeting} greeting */
  #follow(from, greeting) {
    this.#leader = from;
    this.#early = [];
    this.#own?.close();
    this.#own = undefined;
    this.#clearTimer('open');
    this.#known = { heartbeat: greeting.heartbeat, readers: greeting.readers };
    this.#heard();
    this.#deliver({ type: 'hello', ...greeting });
    this.#catchUp(this.#early, greeting.seq);
  }

  #unfollow() {
    this.#leader = this.#early = undefined;
    this.#clearTimer('quiet');
  }

  /** Reads what came before, up to where the leader stood. @param {Message[]} early @param {number} seq */
  async #catchUp(early, seq) {
    const isOver = () => this.#isClosed || this.#early !== early;
    try {
      for (let isMore = true; isMore && !isOver() && this.#options.cursor().seq < seq;) {
        const after = this.#options.cursor();
        const page = await this.#options.ask(after);
        if (!isOver()) for (const message of messagesOf(page, after)) this.#deliver(message);
        isMore = page.more;
      }
    } catch {
      if (!isOver()) this.#handlers.closed(0, '');
    }
    if (isOver()) return;
    this.#early = undefined;
    for (const message of early) this.#deliver(message);
  }

  /** @param {Message} message */
  #take(message) {
    if (message.readers !== undefined) this.#known.readers = message.readers;
    if (this.#early) this.#early.push(message);
    else this.#deliver(message);
  }

  /** Not oneself in another window: those who write are others. @param {Message} message */
  #deliver(message) {
    if (this.#isClosed) return;
    const now = this.#options.now();
    const isWriting = now - this.#otherWroteAt < STILL_WRITING_MS && now - this.#wroteAt >= STILL_WRITING_MS;
    if (isWriting && message.writing) message = { ...message, writing: message.writing - 1 };
    this.#handlers.message(message);
  }

  // ---- silence ------------------------------------------------------------------------------------------

  #heard() {
    const spread = 0.8 + 0.4 * this.#options.platform.random();
    this.#setTimer('quiet', QUIET_MS * spread, () => {
      this.#say({ type: 'ping' });
      this.#setTimer('quiet', ANSWER_MS, () => this.#silence());
    });
  }

  /** Nobody leads, or who does is frozen. */
  #silence() {
    if (this.#mayLead) this.#request(true);
    else this.#goAlone();
  }

  /** @param {Omit<Told, 'from'>} told */
  #say(told) {
    if (!this.#isClosed) this.#channel?.postMessage({ ...told, from: this.#id });
  }

  /** @param {string} name @param {number} ms @param {() => void} work */
  #setTimer(name, ms, work) {
    this.#clearTimer(name);
    const { platform } = this.#options;
    this.#timers.set(name, platform.setTimeout(work, ms));
  }

  /** @param {string} name */
  #clearTimer(name) {
    this.#options.platform.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
