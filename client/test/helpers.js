/** A clock that moves only when told to, chance that is fixed, and comments to talk about. */

export class FakeClock {
  now = 0;
  #next = 1;
  /** @type {Map<number, {at: number, work: () => void}>} */
  #timers = new Map();

  setTimeout = (/** @type {() => void} */ work, /** @type {number} */ ms) => {
    this.#timers.set(this.#next, { at: this.now + ms, work });
    return this.#next++;
  };

  clearTimeout = (/** @type {any} */ timer) => void this.#timers.delete(timer);

  get pending() {
    return this.#timers.size;
  }

  /** Runs everything that is due within `ms`, in order. @param {number} ms */
  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = due[1].at;
      due[1].work();
      await settled();
    }
    this.now = end;
    await settled();
  }
}

/** Lets promises that are resolved run on. */
export async function settled() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** @param {FakeClock} clock @param {object} [others] @returns {import('../src/page/browser.js').Platform} */
export function platform(clock, others = {}) {
  return { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, random: () => 0.5, isOnline: () => true, ...others };
}

/** mulberry32 @param {number} seed @returns {() => number} */
export function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {number} n @param {Partial<import('../src/live/wire.js').Comment>} [values] @returns {import('../src/live/wire.js').Comment} */
export function comment(n, values = {}) {
  return {
    id: `c${String(n).padStart(4, '0')}`,
    parent_id: null,
    author: { id: 'a1', name: 'Mai', badge: null },
    body: [{ type: 'paragraph', children: [{ type: 'text', text: `text ${n}` }] }],
    created_at: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
    edited_at: null,
    state: 'visible',
    votes: { up: 0, down: 0 },
    reply_count: 0,
    pinned: false,
    ...values,
  };
}

/** @param {import('../src/live/wire.js').Comment[]} comments @param {{seq?: number, next?: string | null, replies?: Record<string, string>, mode?: string, count?: number}} [values] @returns {import('../src/live/wire.js').Snapshot} */
export function snapshot(comments, { seq = 10, next = null, replies = {}, mode = 'open', count = comments.length } = {}) {
  return {
    discussion: { site: 'default', key: 'k', mode: /** @type {any} */ (mode), comment_count: count, epoch: 'e1', seq, readers: 1 },
    comments,
    next,
    replies,
    votes: {},
    viewer: null,
    limits: { name_length: 64, text_length: 10_000, edit_seconds: 900, depth: 3 },
    server_time: '2026-01-01T00:00:00.000Z',
  };
}

/** A localStorage in memory. */
export class FakeStorage {
  /** @type {Map<string, string>} */
  items = new Map();
  isBroken = false;

  /** @param {string} name */
  getItem(name) {
    if (this.isBroken) throw new Error('blocked');
    return this.items.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    if (this.isBroken) throw new Error('blocked');
    this.items.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    if (this.isBroken) throw new Error('blocked');
    this.items.delete(name);
  }
}
