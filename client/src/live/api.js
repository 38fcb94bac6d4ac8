/**
 * The server's HTTP side for one site: requests, the reader's token, and what can go wrong.
 *
 * @import { Cursor, Snapshot, Sort } from './wire.js'
 * @import { SafeStorage } from '../page/storage.js'
 */
import { itemName } from '../page/names.js';

const PREFIX = '/api/v1';

/** A request that was refused (status ≥ 400) or did not get through (status 0). */
export class ApiError extends Error {
  /** @param {number} status @param {{code?: string, detail?: string, field?: string, retry_after?: number}} problem */
  constructor(status, { code = '', detail = '', field, retry_after } = {}) {
    super(detail || code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.field = field;
    this.retryAfter = retry_after;
  }
}

/**
 * @typedef {object} Place
 * @property {string} server Origin.
 * @property {string} site
 * @property {string} key
 */

export class Api {
  /**
   * @param {Place} place
   * @param {SafeStorage} storage
   * @param {AbortSignal} [signal]
   * @param {typeof fetch} [request]
   */
  constructor(place, storage, signal, request = async (...given) => fetch(...given)) {
    this.place = place;
    this.storage = storage;
    this.signal = signal;
    this.request = request;
    this.tokenName = itemName('token', place);
    this.token = storage.get(this.tokenName);
  }

  /** @type {RequestCredentials} */
  credentials = 'omit';
  /** The language of the server's error messages. */
  language = 'en';
  /** Replaces an expired token. Without a new one a write fails rather than going out under a guest's name. @type {(() => Promise<boolean>) | undefined} */
  renew;

  /** @param {string | null} token */
  keep(token) {
    this.token = token;
    this.storage.set(this.tokenName, token);
  }

  /** Another window may have got one. @returns {string | null} */
  get newestToken() {
    return this.storage.get(this.tokenName) ?? this.token;
  }

  /** @param {string} path @param {Record<string, string | number | undefined>} [query] */
  url(path, query = {}) {
    const url = new URL(PREFIX + path, this.place.server);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    return url.href;
  }

  /** The address of the discussion itself. @param {string} path @param {Record<string, string | number | undefined>} [query] */
  here(path, query) {
    return this.url(path, { site: this.place.site, key: this.place.key, ...query });
  }

  /** @param {Sort} sort @param {number} limit @param {string} lang The language of its sentences. @returns {Promise<Snapshot>} */
  snapshot(sort, limit, lang) {
    return this.ask('GET', this.here('/discussion', { sort, limit, lang }));
  }

  /** @param {Cursor} cursor @returns {Promise<any>} */
  events({ epoch, seq }) {
    return this.ask('GET', this.here('/events', { epoch, after: seq }));
  }

  /**
   * A token that the server refuses is forgotten, and the request made once more without it, or with the next one. The
   * token is read from the storage each time: another window may have got one.
   *
   * @param {string} method
   * @param {string} url
   * @param {object} [content]
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async ask(method, url, content, headers = {}) {
    const token = (this.token = this.newestToken);
    /** @type {Record<string, string>} */
    const all = { ...headers, 'Accept-Language': this.language };
    if (token) all.Authorization = `Bearer ${token}`;
    if (content) all['Content-Type'] = 'application/json';
    const answer = await this.request(url, {
      method,
      headers: all,
      body: content && JSON.stringify(content),
      credentials: this.credentials,
      signal: this.signal,
      keepalive: !this.signal,
    }).catch(lost);
    if (answer.ok) return answer.status === 204 ? {} : answer.json().catch(lost);
    if (answer.status === 401 && token) {
      if (this.newestToken === token) this.keep(null);
      if (!this.renew || (await this.renew()) || method === 'GET') return this.ask(method, url, content, headers);
    }
    throw await apiError(answer);
  }
}

/** The network failed, at any time before the last byte. @returns {never} */
function lost() {
  throw new ApiError(0);
}

/** @param {Response} answer */
async function apiError(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new ApiError(answer.status, { ...problem, retry_after: problem.retry_after ?? (Number(answer.headers.get('Retry-After')) || undefined) });
}
