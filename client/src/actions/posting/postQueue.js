/**
 * Comments on their way. A post is kept in storage before its first request and until it is answered or discarded, and
 * is sent from memory where the storage keeps nothing; its key is made once, so a retry after a lost answer is the same
 * comment.
 *
 *     add ──▶ sending ── answered ──▶ gone
 *               ├─ no network, 429, 5xx ──▶ queued ── time, online, retry ──▶ sending
 *               └─ refused ──▶ failed ── discard ──▶ gone
 *
 * @import { SafeStorage } from '../../page/storage.js'
 * @import { Posted } from '../../live/wire.js'
 * @import { ApiError } from '../../live/api.js'
 * @import { Draft } from '../compose/forms.js'
 * @import { Platform } from '../../page/browser.js'
 *
 * @typedef {Draft & {key: string, made_at: string, detail?: string, code?: string, field?: string}} PendingPost With `detail` it was refused.
 * @typedef {'sending' | 'queued' | 'failed' | 'done' | 'gone'} PostState
 *
 * @typedef {object} Options
 * @property {SafeStorage} storage
 * @property {string} name Of the item in the storage.
 * @property {(post: PendingPost) => Promise<Posted>} send Throws ApiError.
 * @property {(post: PendingPost, state: PostState, result?: Posted | ApiError) => void} changed
 * @property {() => string} [makeKey] The idempotency key of a new post.
 * @property {(work: () => Promise<void>) => Promise<unknown>} [alone] Runs work while no other tab does.
 * @property {Platform} platform
 */
import { Backoff } from '../../live/backoff.js';
import { begin, wasEnded } from './begun.js';
import { newKey } from '../../page/browser.js';

export class PostQueue {
  /** @type {PendingPost[]} */
  pending = [];
  #options;
  #backoff;
  #isBusy = false;
  /** @type {any} */
  #timer;
  #isClosed = false;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#backoff = new Backoff(options.platform.random, { base: 1000, longest: 60_000 });
    this.pending = this.#stored();
  }

  /** Shows what was left from before, and goes on sending it. */
  start() {
    for (const post of this.pending) this.#options.changed(post, stateOf(post));
    return this.flush();
  }

  /** @param {Draft} draft */
  add(draft) {
    /** @type {PendingPost} */
    const post = { ...draft, key: (this.#options.makeKey ?? newKey)(), made_at: new Date().toISOString() };
    this.pending.push(post);
    begin(this.#options.storage, post.key);
    this.#store(post);
    this.#options.changed(post, 'sending');
    return this.flush();
  }

  /** @param {string} key @returns {PendingPost | undefined} What was discarded. */
  discard(key) {
    const post = this.pending.find((one) => one.key === key);
    if (post) this.#finish(post, 'gone');
    return post;
  }

  /** Sends what waits, one after another. */
  async flush() {
    if (this.#isBusy || this.#isClosed || !this.#next()) return;
    this.#isBusy = true;
    this.#options.platform.clearTimeout(this.#timer);
    const alone = this.#options.alone ?? ((work) => work());
    try {
      await alone(() => this.#sendAll());
    } finally {
      this.#isBusy = false;
    }
  }

  close() {
    this.#isClosed = true;
    this.#options.platform.clearTimeout(this.#timer);
  }

  async #sendAll() {
    for (let post = this.#next(); post && !this.#isClosed; post = this.#next()) {
      if (this.#wasEndedElsewhere(post)) this.#finish(post, 'gone');
      else if (!(await this.#attempt(post))) return;
    }
  }

  /** @param {PendingPost} post @returns {Promise<boolean>} Whether the next one may go. */
  async #attempt(post) {
    this.#options.changed(post, 'sending');
    try {
      const posted = await this.#options.send(post);
      this.#backoff.reset();
      if (this.pending.includes(post)) this.#finish(post, 'done', posted);
      return true;
    } catch (error) {
            if (this.#isClosed || !this.pending.includes(post)) return true;
      return this.#refused(post, /** @type {ApiError} */ (error));
    }
  }

  /** @param {PendingPost} post @param {ApiError} error */
  #refused(post, error) {
    if (isPassing(error)) {
      const wait = Math.max(this.#backoff.next(), (error.retryAfter ?? 0) * 1000);
      this.#timer = this.#options.platform.setTimeout(() => this.flush(), wait);
      this.#options.changed(post, 'queued', error);
      for (const one of this.pending) if (one !== post && one.code === undefined) this.#options.changed(one, 'queued');
      return false;
    }
    post.detail = error.detail;
    post.field = error.field;
    post.code = error.code || String(error.status);
    this.#store(post);
    this.#options.changed(post, 'failed', error);
    return true;
  }

  /** @param {PendingPost} post @param {'done' | 'gone'} state @param {Posted} [posted] */
  #finish(post, state, posted) {
    this.pending = this.pending.filter((one) => one !== post);
    this.#store(post, true);
    this.#options.changed(post, state, posted);
  }

  #next() {
    return this.pending.find((post) => stateOf(post) !== 'failed');
  }

  /** Another tab of the same page shares the storage. Where that was emptied, it is sent: its key makes it the same comment. @param {PendingPost} post */
  #wasEndedElsewhere({ key }) {
    return !this.#stored().some((post) => post.key === key) && wasEnded(this.#options.storage, key);
  }

  /** Only this one: other windows keep theirs in the same item. @param {PendingPost} post @param {boolean} [isOver] */
  #store(post, isOver = false) {
    const { storage, name } = this.#options;
    const all = this.#stored().filter(({ key }) => key !== post.key);
    if (!isOver) all.push(post);
    storage.set(name, all.length ? JSON.stringify(all) : null);
  }

  /** Whatever else stands there is none of ours. @returns {PendingPost[]} */
  #stored() {
    const found = this.#options.storage.json(this.#options.name);
    const isPost = (/** @type {any} */ one) => [one?.key, one?.body, one?.made_at].every((value) => typeof value === 'string');
    return Array.isArray(found) ? found.filter(isPost) : [];
  }
}

/** @param {PendingPost} post @returns {'queued' | 'failed'} */
const stateOf = (post) => (post.code === undefined ? 'queued' : 'failed');

export { newKey };

/** Whether the same request may succeed later. @param {{status: number}} error */
export function isPassing({ status }) {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}
