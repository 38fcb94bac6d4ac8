/**
 * The page's part of signing in: at a provider, or by a code in a mail. At a provider: what it makes up, `state` and `verifier`, never leaves this browser but for the
 * verifier's digest; what comes back, a code, is worth nothing without it.
 *
 *     open ──▶ the provider, in a window ──▶ a message ─────────────────────────▶ POST /sessions ──▶ the session, in every window
 *         └──▶ or in this one, or cut off ──▶ the page's address, with a fragment ──▶ take ─┘
 *
 * A guest's token that the storage has goes along with the code: what the guest said is the member's then.
 * A window that seems closed may stand open, cut off by Cross-Origin-Opener-Policy: nothing follows from it.
 *
 * @import { SafeStorage } from '../page/storage.js'
 *
 * @typedef {{token: string, viewer: {id: string, name: string}}} Opened What a session is.
 * @typedef {{status: number, code: string, detail: string, left?: number}} Refusal `left`: how often a code can still be tried.
 * @typedef {object} Place
 * @property {string} server Its address.
 * @property {string} site
 * @property {string} item Where the storage has the session's token: all windows of the page's origin look there.
 * @property {SafeStorage} storage
 * @property {string} [lang] The language of the provider's window, of mail and of refusals.
 * @property {(opened: Opened | null) => void} onSession Somebody is signed in; null where another window knows who.
 * @property {(refusal: Refusal, retry: (name: string) => Promise<void>) => void} onRefusal `retry` sends the same code with a name.
 */

import { itemName } from '../page/names.js';


/** What is on its way, by state: `{[state]: {verifier, at, alone}}`; `alone` where a window of its own comes back. */
const ITEM = 'tertulia:sign-in';
/** As long as the server keeps the way. */
const KEPT_MS = 600_000;
/** For an answer of the server. */
const PATIENCE_MS = 20_000;
/** A few, for those who try again and again. */
const MOST = 5;
const FRAGMENT = /^#tertulia=([\w-]{43})\.([\w-]{43})$/;
const SIZE = 'popup,width=520,height=640';

export class SignIn {
  #place;
  #listening = new AbortController();
  #isTelling = false;

  /** @param {Place} place */
  constructor(place) {
    this.#place = place;
    const { signal } = this.#listening;
    addEventListener('message', (event) => this.#heard(event), { signal });
    addEventListener('storage', ({ key, newValue }) => key === place.item && newValue && !this.#isTelling && place.onSession(null), { signal });
  }

  stop() {
    this.#listening.abort();
  }

  /** In the click itself, or the window is blocked; then this one goes, and comes back. @param {string} provider Its name. */
  async open(provider) {
    const opened = open('', '', SIZE);
    const state = random();
    const verifier = random();
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    this.#keep({ ...this.#kept(), [state]: { verifier, at: Date.now(), alone: Boolean(opened) } });
    const { server, site, lang } = this.#place;
    const address = new URL(`/signin/${encodeURIComponent(provider)}`, server);
    const query = { site, state, challenge: base64url(digest), return: location.href.replace(/#.*/s, ''), ...(lang && { lang }) };
    address.search = String(new URLSearchParams(query));
    (opened ?? window).location.href = address.href;
  }

  /**
   * Takes what a way back has left in the address, and closes a window that was opened for it.
   *
   * @returns {Promise<boolean>} Whether somebody is signed in by it.
   */
  async take() {
    const [, code, state] = FRAGMENT.exec(location.hash) ?? [];
    if (!code) return false;
    // out of the history before anything else can read it
    history.replaceState(history.state, '', location.href.replace(/#.*/s, ''));
    const way = this.#taken(state);
    if (!way) return false; // a link that a stranger made
    const isIn = await this.#exchange(code, way.verifier);
    if (isIn && way.alone) close();
    return isIn;
  }

  /** @param {MessageEvent} event */
  #heard({ data, origin, source }) {
    if (origin !== new URL(this.#place.server).origin || data?.type !== 'tertulia.code') return;
    const way = this.#taken(data.state);
    if (!way) return;
    /** @type {Window} */ (source).postMessage({ type: 'tertulia.heard', state: data.state }, origin);
    this.#exchange(data.code, way.verifier);
  }

  /** @param {string} code @param {string} verifier @returns {Promise<boolean>} */
  #exchange(code, verifier) {
    return this.session({ grant: 'code', code, verifier });
  }

  /** Which ways there are. @returns {Promise<{status: number, answer: any}>} */
  options() {
    return this.#ask('GET', `/signin/options?site=${this.#place.site}`);
  }

  /** Has a code sent. @param {string} email @returns {Promise<{status: number, answer: any}>} */
  code(email) {
    const { site, lang } = this.#place;
    return this.#ask('POST', '/codes', { site, email, lang });
  }

  /**
   * Opens a session, and tells of it or of its refusal.
   *
   * @param {Record<string, string | undefined>} way As `POST /sessions` has it.
   * @returns {Promise<boolean>} Whether there is one.
   */
  async session(way) {
    const { server, site, item, storage, onSession, onRefusal } = this.#place;
    const { status, answer } = await this.#ask('POST', '/sessions', { site, ...way, guest: guestIn(storage, item) });
    if (status !== 201) {
      onRefusal({ status, code: answer.code, detail: answer.detail, left: answer.left }, async (name) => void (await this.session({ ...way, name })));
      return false;
    }
    storage.set(item, answer.token);
    // the key of a first vote or comment: after signing out it would make the same guest
    storage.set(itemName('guest', { server: new URL(server).origin, site }), null);
    // the other elements of this window: browsers tell other windows alone
    this.#isTelling = true;
    dispatchEvent(new StorageEvent('storage', { key: item, newValue: answer.token }));
    this.#isTelling = false;
    onSession(answer);
    return true;
  }

  /**
   * As nobody: a refusal here says nothing of a guest's token.
   *
   * @param {string} method @param {string} path @param {object} [content] @returns {Promise<{status: number, answer: any}>}
   */
  async #ask(method, path, content) {
    const { server, lang = '' } = this.#place;
    /** @type {Record<string, string>} */
    const headers = { 'Accept-Language': lang, ...(content && { 'Content-Type': 'application/json' }) };
    try {
      const body = content && JSON.stringify(content);
      const response = await fetch(new URL(`/api/v1${path}`, server), { method, headers, body, credentials: 'omit', signal: AbortSignal.timeout(PATIENCE_MS) });
      return { status: response.status, answer: await response.json() };
    } catch (error) {
      return { status: 0, answer: { code: 'unreachable', detail: String(error) } };
    }
  }

  /** @returns {Record<string, {verifier: string, at: number, alone: boolean}>} Those that are not over. */
  #kept() {
    const ways = Object.entries(this.#place.storage.json(ITEM) ?? {}).filter(([, way]) => Date.now() - way.at < KEPT_MS);
    return Object.fromEntries(ways.slice(1 - MOST));
  }

  /** @param {Record<string, object>} ways */
  #keep(ways) {
    this.#place.storage.set(ITEM, Object.keys(ways).length ? JSON.stringify(ways) : null);
  }

  /** The way of this state, once. @param {string} state */
  #taken(state) {
    const { [state]: way, ...others } = this.#kept();
    if (way) this.#keep(others);
    return way;
  }
}

/** A signed token; sessions are none. @param {SafeStorage} storage @param {string} item */
function guestIn(storage, item) {
  const kept = storage.get(item);
  return kept?.startsWith('ey') ? kept : undefined;
}

/** 32 bytes. */
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);

/** @param {ArrayBuffer} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
