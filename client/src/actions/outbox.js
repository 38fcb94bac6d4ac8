/**
 * Comments on their way. An entry is kept in storage before its first request and until it is answered or
 * discarded; its key is made once, so a retry after a lost answer is the same comment.
 *
 *     add ──▶ sending ── answered ──▶ gone
 *               ├─ no network, 429, 5xx ──▶ queued ── time, online, retry ──▶ sending
 *               └─ refused ──▶ failed ── discard ──▶ gone
 *
 * @import { SafeStorage } from '../page/storage.js'
 * @import { Posted } from '../live/wire.js'
 * @import { Trouble } from '../live/api.js'
 *
 * @typedef {{body: string, name: string, parent_id: string | null}} Said
 * @typedef {Said & {key: string, made_at: string, detail?: string, code?: string}} Entry With `detail` it was refused.
 * @typedef {'sending' | 'queued' | 'failed' | 'done' | 'gone'} Stage
 *
 * @typedef {object} Options
 * @property {SafeStorage} storage
 * @property {string} name Of the item in the storage.
 * @property {(entry: Entry) => Promise<Posted>} send Throws Trouble.
 * @property {(entry: Entry, stage: Stage, result?: Posted | Trouble) => void} changed
 * @property {(work: () => Promise<void>) => Promise<unknown>} [alone] Runs work while no other tab does.
 * @property {import('../live/stream.js').World} world
 */
import { Backoff } from '../live/backoff.js';

export class Outbox {
  /** @type {Entry[]} */
  entries = [];
  #options;
  #backoff;
  #isBusy = false;
  /** @type {any} */
  #timer;
  #isClosed = false;
  /** Whether the storage has what is on its way. */
  #isKept = false;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#backoff = new Backoff(options.world.random, { base: 1000, longest: 60_000 });
    this.entries = this.#stored();
    this.#isKept = this.entries.length > 0;
  }

  /** Shows what was left from before, and goes on sending it. */
  start() {
    for (const entry of this.entries) this.#options.changed(entry, stageOf(entry));
    return this.flush();
  }

  /** @param {Said} said */
  add(said) {
    /** @type {Entry} */
    const entry = { ...said, key: newKey(), made_at: new Date().toISOString() };
    this.entries.push(entry);
    this.#store(entry);
    this.#options.changed(entry, 'sending');
    return this.flush();
  }

  /** @param {string} key @returns {Entry | undefined} What was discarded. */
  discard(key) {
    const entry = this.entries.find((one) => one.key === key);
    if (entry) this.#finish(entry, 'gone');
    return entry;
  }

  /** Sends what waits, one after another. */
  async flush() {
    if (this.#isBusy || this.#isClosed || !this.#next()) return;
    this.#isBusy = true;
    this.#options.world.clearTimeout(this.#timer);
    const alone = this.#options.alone ?? ((work) => work());
    try {
      await alone(() => this.#sendAll());
    } finally {
      this.#isBusy = false;
    }
  }

  close() {
    this.#isClosed = true;
    this.#options.world.clearTimeout(this.#timer);
  }

  async #sendAll() {
    for (let entry = this.#next(); entry && !this.#isClosed; entry = this.#next()) {
      if (this.#wasSentElsewhere(entry)) this.#finish(entry, 'gone');
      else if (!(await this.#attempt(entry))) return;
    }
  }

  /** @param {Entry} entry @returns {Promise<boolean>} Whether the next one may go. */
  async #attempt(entry) {
    this.#options.changed(entry, 'sending');
    try {
      const posted = await this.#options.send(entry);
      this.#backoff.reset();
      if (this.entries.includes(entry)) this.#finish(entry, 'done', posted);
      return true;
    } catch (error) {
      const trouble = /** @type {Trouble} */ (error);
      if (this.#isClosed || !this.entries.includes(entry)) return true;
      return this.#refused(entry, trouble);
    }
  }

  /** @param {Entry} entry @param {Trouble} trouble */
  #refused(entry, trouble) {
    if (isPassing(trouble)) {
      const wait = Math.max(this.#backoff.next(), (trouble.retryAfter ?? 0) * 1000);
      this.#timer = this.#options.world.setTimeout(() => this.flush(), wait);
      this.#options.changed(entry, 'queued', trouble);
      for (const one of this.entries) if (one !== entry && one.code === undefined) this.#options.changed(one, 'queued');
      return false;
    }
    entry.detail = trouble.detail;
    entry.code = trouble.code || String(trouble.status);
    this.#store(entry);
    this.#options.changed(entry, 'failed', trouble);
    return true;
  }

  /** @param {Entry} entry @param {'done' | 'gone'} stage @param {Posted} [posted] */
  #finish(entry, stage, posted) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.#store(entry, true);
    this.#options.changed(entry, stage, posted);
  }

  #next() {
    return this.entries.find((entry) => stageOf(entry) !== 'failed');
  }

  /** Another tab of the same page shares the storage. @param {Entry} entry */
  #wasSentElsewhere(entry) {
    const stored = this.#options.storage.get(this.#options.name);
    return this.#isKept && !(stored ?? '').includes(entry.key);
  }

  /** Only this one: other windows keep theirs in the same item. @param {Entry} entry @param {boolean} [isOver] */
  #store(entry, isOver = false) {
    const { storage, name } = this.#options;
    const all = this.#stored().filter(({ key }) => key !== entry.key);
    if (!isOver) all.push(entry);
    this.#isKept = storage.set(name, all.length ? JSON.stringify(all) : null);
  }

  /** @returns {Entry[]} */
  #stored() {
    try {
      return JSON.parse(this.#options.storage.get(this.#options.name) ?? '[]');
    } catch {
      return [];
    }
  }
}

/** @param {Entry} entry @returns {'queued' | 'failed'} */
const stageOf = (entry) => (entry.code === undefined ? 'queued' : 'failed');

/** `randomUUID` is missing on plain-http origins; 16 random bytes in hexadecimal serve as well. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether the same request may succeed later. @param {{status: number}} trouble */
export function isPassing({ status }) {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}
