/**
 * The elements of one page have one reader: whom one of them learns of, or loses, all of the same server and site do.
 *
 * The windows of a browser have one reader, too: whoever signs in in one of them is signed in in the others.
 *
 *     a guest's first comment ──▶ the others know who it was      another token, or none ──▶ the others read anew
 *
 * @import { Context } from '../context.js'
 */
import { signIn } from '../../live/thread.js';

/** Of all elements of the page. @type {Set<Identity>} */
const all = new Set();

/** @param {string | null} token */
const isSession = (token) => token?.startsWith('ts_');

export class Identity {
  #context;
  /** The reader of whom the others were told last. @type {string | undefined} */
  #told;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
    this.#told = this.#reader;
  }

  start() {
    const { api, host, signal, storage } = this.#context;
    all.add(this);
    host.addEventListener('tertulia-posted', () => this.#tell((other) => other.#meet(this.#context)), { signal });
    addEventListener('storage', ({ key, newValue }) => key === api.tokenName && isSession(newValue) && newValue !== api.token && this.#context.loader.load(), { signal });
    // somebody was made a guest, or signed in, while this one was loading
    const kept = storage.get(api.tokenName);
    if (kept && kept !== api.token) this.#context.setToken(kept);
  }

  stop() {
    all.delete(this);
  }

  viewerChanged() {
    const { token } = this.#context.api;
    this.#tell((other) => other.#context.setToken(token));
  }

  get #reader() {
    return this.#context.thread.viewer?.id;
  }

  /** Only a change is told, so that two whom the server answers differently do not go on telling each other. @param {(other: Identity) => void} say */
  #tell(say) {
    if (this.#told === this.#reader) return;
    this.#told = this.#reader;
    for (const other of all) if (this.#isOfOne(other) && other.#reader !== this.#reader) say(other);
  }

  /** Who is known by a cookie is unknown where none is sent. @param {Identity} other */
  #isOfOne(other) {
    const { api } = this.#context;
    const { tokenName, credentials } = other.#context.api;
    return tokenName === api.tokenName && credentials === api.credentials;
  }

  /** @param {Context} from The element in which the reader wrote. */
  #meet({ api: { token }, thread: { viewer } }) {
    const { api, list, thread } = this.#context;
    if (!viewer) return;
    api.token = token;
    signIn(thread, viewer);
    this.#told = viewer.id;
    list.updateAll();
  }
}
