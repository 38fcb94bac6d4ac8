/** Windows of one browser, with locks, channels and a server, on a clock that moves only when told to. */
import { Stream } from '../src/live/stream.js';
import { Thread } from '../src/live/thread.js';
import { pollTransport } from '../src/sharing/fallbacks.js';
import { sharedTransport } from '../src/sharing/sharedLink.js';
import { sparingTransport } from '../src/sharing/sparing.js';
import { comment, FakeClock, platform, randomFrom, settled, snapshot } from './helpers.js';

/** @typedef {import('../src/live/wire.js').Event} Event @typedef {import('../src/live/wire.js').Message} Message @typedef {import('../src/live/transports.js').Handlers} Handlers */

/** Web Locks of one name space: a queue for each name, and those who steal. */
class FakeLocks {
  /** @type {Map<string, any>} */
  held = new Map();
  /** @type {any[]} */
  waiting = [];

  /** @param {FakeWindow} window */
  of(window) {
    return {
      request: (/** @type {string} */ name, /** @type {{steal?: boolean, signal?: AbortSignal}} */ { steal = false, signal }, /** @type {() => any} */ work) =>
        new Promise((resolve, reject) => {
          const request = { name, work, resolve, reject, window };
          signal?.addEventListener('abort', () => {
            if (!this.waiting.includes(request)) return;
            this.waiting = this.waiting.filter((one) => one !== request);
            reject(new DOMException('aborted', 'AbortError'));
          });
          if (steal) this.#steal(name);
          if (steal) this.waiting.unshift(request);
          else this.waiting.push(request);
          window.browser.soon(() => this.#grant(name));
        }),
    };
  }

  /** @param {string} name */
  #steal(name) {
    const holder = this.held.get(name);
    this.held.delete(name);
    holder?.window.run(() => holder.reject(new DOMException('stolen', 'AbortError')));
  }

  /** @param {string} name */
  #grant(name) {
    const next = this.waiting.find((one) => one.name === name);
    if (!next || this.held.has(name)) return;
    this.waiting = this.waiting.filter((one) => one !== next);
    this.held.set(name, next);
    next.window.run(async () => {
      const value = await next.work();
      if (this.held.get(name) !== next) return;
      next.resolve(value);
      this.#end(name);
    });
  }

  /** @param {string} name */
  #end(name) {
    this.held.delete(name);
    this.#grant(name);
  }

  /** What becomes of a window's locks when it is closed or crashes. @param {FakeWindow} window */
  release(window) {
    this.waiting = this.waiting.filter((one) => one.window !== window);
    for (const [name, holder] of [...this.held]) if (holder.window === window) this.#end(name);
  }
}

/** A server small enough to be obviously right. */
export class FakeServer {
  epoch = 'e1';
  /** @type {Event[]} */
  events = [];
  /** @type {Set<{mode: string, handlers: Handlers, window: FakeWindow}>} */
  open = new Set();
  opened = 0;
  asked = 0;
  isDown = false;
  /** @type {string[]} */
  written = [];
  /** What carries nothing. @type {Set<string>} */
  refused = new Set();

  /** @param {Browser} browser */
  constructor(browser) {
    this.browser = browser;
  }

  get seq() {
    return this.events.length;
  }

  /** @param {string} mode @param {FakeWindow} window @returns {import('../src/live/transports.js').Transport} */
  transport(mode, window) {
    return ({ epoch, seq }, handlers) => {
      const link = { mode, handlers, window };
      this.open.add(link);
      this.opened++;
      this.browser.soon(() => {
        if (!this.open.has(link)) return;
        if (this.isDown || this.refused.has(mode)) return this.cut(1006, link);
        this.#tell(link, { type: 'hello', epoch: this.epoch, seq: this.seq, heartbeat: 25, readers: this.open.size });
        if (epoch !== this.epoch || seq > this.seq) this.#tell(link, { type: 'reset', epoch: this.epoch, seq: this.seq });
        else if (seq < this.seq) this.#tell(link, { type: 'events', events: this.events.slice(seq) });
      });
      return {
        close: () => void this.open.delete(link),
        send: (/** @type {string} */ text) => void this.written.push(text),
      };
    };
  }

  /** @param {any} link @param {Message} message */
  #tell(link, message) {
    if (this.open.has(link)) link.window.run(() => this.open.has(link) && link.handlers.message(message));
  }

  /** @param {Message} message */
  tell(message) {
    for (const link of this.open) this.#tell(link, message);
  }

  post() {
    const n = this.seq + 1;
    this.events.push({ seq: n, kind: 'comment.created', at: '', comment: comment(n), comment_count: n });
    this.tell({ type: 'events', events: [this.events[n - 1]] });
  }

  heartbeat() {
    this.tell({ type: 'heartbeat', seq: this.seq, readers: this.open.size });
  }

  /** @param {number} code @param {any} [link] */
  cut(code, link) {
    for (const one of link ? [link] : [...this.open]) {
      this.open.delete(one);
      one.window.run(() => one.handlers.closed(code, ''));
    }
  }

  /** A page of the log. @param {{epoch: string, seq: number}} after */
  page = async ({ epoch, seq }) => {
    this.asked++;
    if (this.isDown) throw new Error('down');
    const events = epoch === this.epoch ? this.events.slice(seq, seq + 3) : [];
    return { epoch: this.epoch, seq: this.seq, events, more: seq + 3 < this.seq && epoch === this.epoch };
  };

  renew() {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.events = [];
    this.cut(1012);
  }
}

export class Browser {
  clock = new FakeClock();
  locks = new FakeLocks();
  server = new FakeServer(this);
  /** @type {FakeWindow[]} */
  windows = [];
  /** @type {Map<string, Set<any>>} */
  channels = new Map();
  /** What happens to a message between windows: how often it arrives. @type {() => number} */
  carry = () => 1;
  hasLocks = true;
  hasChannels = true;
  latency = 1;
  #beat = 20_000;

  /** @param {number} [seed] */
  constructor(seed = 1) {
    this.random = randomFrom(seed);
  }

  /** @param {() => void} work */
  soon(work) {
    this.clock.setTimeout(work, this.latency);
  }

  /** @param {{mode?: import('../src/live/transports.js').Mode, isHidden?: boolean, key?: string}} [values] */
  open(values) {
    const window = new FakeWindow(this, values);
    this.windows.push(window);
    return window;
  }

  /** @param {string} name @param {FakeWindow} window @returns {any} */
  channel(name, window) {
    if (!this.hasChannels) return undefined;
    const all = this.channels.get(name) ?? new Set();
    this.channels.set(name, all);
    const channel = {
      onmessage: /** @type {any} */ (null),
      postMessage: (/** @type {any} */ data) => {
        for (const other of all) {
          if (other === channel) continue;
          for (let times = this.carry(); times > 0; times--) {
            const copy = structuredClone(data);
            this.soon(() => other.window.run(() => all.has(other) && other.onmessage?.({ data: copy })));
          }
        }
      },
      close: () => void all.delete(channel),
      window,
    };
    all.add(channel);
    return channel;
  }

  /** @param {number} ms */
  async pass(ms) {
    await settled();
    const end = this.clock.now + ms;
    for (; this.#beat < end; this.#beat += 20_000) {
      await this.clock.pass(Math.max(0, this.#beat - this.clock.now));
      this.server.heartbeat();
    }
    await this.clock.pass(end - this.clock.now);
  }

  get living() {
    return this.windows.filter(({ isGone }) => !isGone);
  }
}

export class FakeWindow {
  isFrozen = false;
  isGone = false;
  /** What waits until it is thawed. @type {(() => void)[]} */
  #later = [];
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** Comments that appeared, each time. @type {string[]} */
  added = [];
  /** @type {string[]} */
  states = [];
  /** @type {Message[]} */
  received = [];
  resets = 0;

  /** @param {Browser} browser @param {{mode?: import('../src/live/transports.js').Mode, isHidden?: boolean, key?: string}} [values] */
  constructor(browser, { mode = 'socket', isHidden = false, key = 'k' } = {}) {
    this.browser = browser;
    this.isHidden = isHidden;
    const { server, clock } = browser;
    this.thread = this.#read();
    const timers = { ...this.#timers(), random: browser.random };
    const page = {
      isHidden: () => this.isHidden,
      onVisibility: (/** @type {() => void} */ work) => {
        this.#watchers.add(work);
        return () => this.#watchers.delete(work);
      },
    };
    const ask = async (/** @type {any} */ after) => {
      const page = await server.page(after);
      await new Promise((resolve) => browser.soon(() => this.run(() => resolve(undefined))));
      return page;
    };
    const cursor = () => this.thread.cursor;
    const options = {
      name: `live:${key}`, locks: browser.hasLocks ? /** @type {any} */ (browser.locks.of(this)) : undefined,
      openChannel: () => browser.channel(`live:${key}`, this), ask, cursor, now: () => clock.now, page, platform: platform(clock, timers),
    };
    const poll = pollTransport({ ...platform(clock, timers), ask });
    const events = sparingTransport({ ...options, events: server.transport('events', this), poll, openChannel: () => browser.channel('streams', this) });
    this.stream = new Stream({
      transports: {
        socket: sharedTransport(options, server.transport('socket', this), false),
        events: sharedTransport(options, events, true),
        poll: sharedTransport(options, poll, false),
      },
      thread: () => this.thread,
      received: (message, changes) => {
        this.received.push(message);
        for (const change of changes) if (change.type === 'added') this.added.push(change.id);
      },
      reset: () => {
        this.resets++;
        timers.setTimeout(() => this.reread(), 500);
      },
      probe: async () => !server.isDown,
      changed: (state) => void this.states.push(state),
      platform: platform(clock, timers),
    });
    this.stream.mode = mode;
    this.stream.start();
  }

  /** One that is due in a frozen window runs once that is thawed, unless it is cleared. */
  #timers() {
    const { clock } = this.browser;
    /** @type {Set<number>} */
    const cleared = new Set();
    return {
      setTimeout: (/** @type {() => void} */ work, /** @type {number} */ ms) => {
        const timer = clock.setTimeout(() => this.run(() => cleared.has(timer) || work()), ms);
        return timer;
      },
      clearTimeout: (/** @type {number} */ timer) => {
        cleared.add(timer);
        clock.clearTimeout(timer);
      },
    };
  }

  #read() {
    const { server } = this.browser;
    const all = server.events.map(({ comment: one }) => /** @type {any} */ (one));
    const read = snapshot(all, { seq: server.seq });
    read.discussion.epoch = server.epoch;
    return new Thread(read, 'oldest');
  }

  /** Everything anew, as after `reset`. */
  reread() {
    if (this.isGone) return;
    this.stream.away();
    this.thread = this.#read();
    this.added = [];
    this.stream.start();
  }

  /** @param {() => void} work */
  run(work) {
    if (this.isGone) return;
    if (this.isFrozen) this.#later.push(work);
    else work();
  }

  freeze() {
    this.isFrozen = true;
  }

  thaw() {
    this.isFrozen = false;
    for (const work of this.#later.splice(0)) this.run(work);
  }

  /** As by a crash: nothing is said, and the browser lets the locks go. */
  crash() {
    this.isGone = true;
    for (const link of this.browser.server.open) if (link.window === this) this.browser.server.open.delete(link);
    for (const all of this.browser.channels.values()) for (const channel of all) if (channel.window === this) all.delete(channel);
    this.browser.locks.release(this);
  }

  /** @param {boolean} isHidden */
  show(isHidden) {
    this.isHidden = isHidden;
    for (const work of this.#watchers) work();
  }

  get has() {
    return [...this.thread.comments.keys()];
  }

  get isLeading() {
    return [...this.browser.server.open].some(({ window }) => window === this);
  }
}
