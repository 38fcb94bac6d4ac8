/**
 * What the desk asks of its server: JSON under the cookie of the staff's pages, each decision once however often it is sent.
 *
 * @import { Action } from './undo.js'
 * @import { Platform } from '../page/browser.js'
 *
 * @typedef {'approve' | 'keep' | 'remove' | 'spam' | 'restore' | 'pin' | 'unpin'} Act
 * @typedef {{comment_id: string, version: number}} Target
 * @typedef {{do: Act, reason?: string, note?: string}} Decision
 * @typedef {{code: string, detail: string}} DecisionProblem
 * @typedef {{by: string, verb: string}} LastDecision
 * @typedef {{comment: {id: string}, version: number, queue: string | null, decision: LastDecision | null}} Item
 * @typedef {{comment_id: string, action: string | null, problem: DecisionProblem | null, item: Item | null}} Result
 * @typedef {{epoch: string, seq: number, waiting: number, reported: number, suspected: number}} Counts
 * @typedef {{author_id: string, effect: string, hours: number | null, reason?: string, note?: string, remove?: string}} NewBan
 */
import { Api, ApiError } from '../live/api.js';
import { SafeStorage } from '../page/storage.js';

/** In one request. */
export const MOST_DECISIONS = 100;
export const MOST_ITEMS = 50;
const ATTEMPTS = 3;
const AGAIN_MS = 700;

export class Requests {
  #api;
  #platform;
  #newKey;

  /**
   * @param {{server: string, site: string, language: string}} place
   * @param {Platform} platform
   * @param {() => string} newKey
   * @param {typeof fetch} [request]
   */
  constructor({ server, site, language }, platform, newKey, request) {
    this.#api = new Api({ server, site, key: '' }, new SafeStorage(() => null), undefined, request);
    this.#api.credentials = 'same-origin';
    this.#api.language = language;
    this.#platform = platform;
    this.#newKey = newKey;
  }

  get #site() {
    return this.#api.place.site;
  }

  /** @returns {Promise<Counts>} */
  counts() {
    return this.#get('/staff/queues', {});
  }

  /** @param {{queue: string, key?: string, author?: string, limit?: number, cursor?: string}} asked @returns {Promise<{items: Item[], next: string | null}>} */
  queue(asked) {
    return this.#get('/staff/queue', asked);
  }

  /** @param {string[]} ids @returns {Promise<Item[]>} What is not there any more is left out. */
  async items(ids) {
    const pages = chunks(ids, MOST_ITEMS).map((some) => {
      const url = new URL(this.#api.url('/staff/items', { site: this.#site }));
      for (const id of some) url.searchParams.append('id', id);
      return this.#api.ask('GET', url.href);
    });
    return (await Promise.all(pages)).flatMap(({ items }) => items);
  }

  /** At most MOST_DECISIONS. @param {Target[]} targets @param {Decision} decision @returns {Promise<Result[]>} */
  async decide(targets, decision) {
    const decisions = targets.map((target) => ({ ...target, ...decision }));
    const { results } = await this.#post('/staff/decisions', { decisions }, { 'Idempotency-Key': this.#newKey() });
    return results;
  }

  /** @param {Action[]} actions @returns {Promise<Result[]>} */
  async undo(actions) {
    const results = [];
    for (const some of chunks(actions, MOST_DECISIONS)) results.push(...(await this.#post('/staff/undo', { actions: some })).results);
    return results;
  }

  /** @param {NewBan} ban @returns {Promise<{id: string}>} */
  ban(ban) {
    return this.#api.ask('POST', this.#api.url('/staff/bans'), { site: this.#site, ...ban });
  }

  /** @param {string} path @param {Record<string, string | number | undefined>} query */
  #get(path, query) {
    return this.#api.ask('GET', this.#api.url(path, { site: this.#site, ...query }));
  }

  /** Again where it is not known what came of it: the server decides once. @param {string} path @param {object} content @param {Record<string, string>} [headers] */
  async #post(path, content, headers) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#api.ask('POST', this.#api.url(path), { site: this.#site, ...content }, headers);
      } catch (error) {
        const isUnknown = error instanceof ApiError && (error.status === 0 || error.status >= 500);
        if (!isUnknown || attempt === ATTEMPTS || !this.#platform.isOnline()) throw error;
        await new Promise((resolve) => this.#platform.setTimeout(() => resolve(null), AGAIN_MS * attempt));
      }
    }
  }
}

/** @template T @param {T[]} all @param {number} size @returns {T[][]} */
export function chunks(all, size) {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size));
}
