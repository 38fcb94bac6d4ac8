/**
 * `<tertulia-discussion>`: its attributes, methods and properties. It shows what the server rendered until the
 * comments are there, and keeps one discussion open while it stands in a page.
 *
 * @import { Settings } from './actions/context.js'
 * @import { State } from './live/stream.js'
 */
import lightDom from './reading/lightDom.css';
import css from './reading/styles.css';
import { SCRIPT_ORIGIN } from './bundles.js';
import { Discussion } from './discussion.js';
import { keyOf } from './page/address.js';
import { linkedId } from './page/names.js';

/** Elements nearer than this to the viewport load and connect; readers who never come near cost nothing. */
const NEAR = '1200px';
/** A change of these needs no new discussion. */
const UPDATED_IN_PLACE = ['live', 'sort', 'announce', 'theme'];

export class TertuliaDiscussion extends HTMLElement {
  static observedAttributes = [
    'discussion', 'key', 'site', 'server', 'lang', 'sort', 'composer', 'live', 'announce', 'loading', 'theme', 'time', 'timezone', 'max',
    'depth', 'no-shadow', 'credentials', 'token-endpoint', 'sign-in', 'heading', 'heading-level',
  ];

  /** @type {Discussion | null} */
  #discussion = null;
  /** @type {IntersectionObserver | null} */
  #observer = null;
  #isStale = false;
  #standing = new AbortController();
  /** Whether the reader has done anything yet, which nothing may interrupt then. */
  hasMoved = false;

  /** One that is only moved goes on. */
  connectedCallback() {
    this.#standing.abort();
    const { signal } = (this.#standing = new AbortController());
    for (const type of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
      addEventListener(type, () => (this.hasMoved = true), { signal, capture: true, passive: true });
    }
    if (!this.#isBegun) this.#open();
  }

  /** What is moved, as frameworks do to put a list in order, is back before anything else is done. */
  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#standing.abort();
      this.#close();
    });
  }

  get #isBegun() {
    return this.#discussion || this.#observer;
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (UPDATED_IN_PLACE.includes(name)) return this.#discussion?.change(this.#settings());
    if (this.#isStale || !this.#isBegun) return;
    this.#isStale = true;
    queueMicrotask(() => this.#renew());
  }

  /** Once for all attributes that changed together, and before anything else is done. */
  #renew() {
    if (!this.#isStale) return;
    this.#isStale = false;
    if (!this.isConnected) return;
    this.#close();
    this.#open();
  }

  // ---- for the page -------------------------------------------------------------------------------------

  /** `idle` until it is near, then `loading`, `ready` or `error`. */
  get state() {
    return this.#discussion?.phase ?? 'idle';
  }

  /** The state of the live connection. @returns {State} */
  get connection() {
    return this.#discussion?.live.stream.state ?? 'idle';
  }

  /** How many comments the discussion has. */
  get total() {
    return this.#discussion?.thread?.discussion.comment_count ?? 0;
  }

  /** How many of them have arrived and are not shown yet. */
  get unseen() {
    return this.#discussion?.unseen ?? 0;
  }

  /** Signs the reader in with a token of the server, or out with null. @param {string | null} token */
  setToken(token) {
    this.#begin().setToken(token);
  }

  /** Reads everything again. @returns {Promise<void>} */
  refresh() {
    return this.#begin().loader.load();
  }

  /** Shows a comment, wherever in the discussion it is. @param {string} id @returns {Promise<boolean>} Whether it is there. */
  async goTo(id) {
    return (await this.#begin().loadActions()).commands.goTo(id);
  }

  /** Shows only what matches, without regard to accents and case; '' shows all. @param {string} text @returns {Promise<number>} How many match. */
  async search(text) {
    return (await this.#begin().loadActions()).commands.search(text);
  }

  /** Holds arrivals back until `play`. */
  pause() {
    this.#begin().live.pause(true);
  }

  play() {
    this.#begin().live.pause(false);
  }

  // ---- life cycle ---------------------------------------------------------------------------------------

  #open() {
    this.#root();
    if (linkedId() || this.getAttribute('loading') === 'eager' || !globalThis.IntersectionObserver) {
      this.#begin();
      return;
    }
    this.#observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#begin();
    }, { rootMargin: NEAR });
    this.#observer.observe(this);
  }

  #begin() {
    this.#renew();
    this.#observer?.disconnect();
    this.#observer = null;
    this.#discussion ??= new Discussion(this, this.#root(), this.#settings());
    return this.#discussion;
  }

  #close() {
    this.#observer?.disconnect();
    this.#observer = null;
    this.#discussion?.close();
    this.#discussion = null;
  }

  /** @returns {ShadowRoot | HTMLElement} */
  #root() {
    const root = this.hasAttribute('no-shadow') ? this : (this.shadowRoot ?? this.attachShadow({ mode: 'open' }));
    this.adoptStyles(root === this ? lightDom + css : css);
    if (root !== this && !root.firstChild) root.append(document.createElement('slot'));
    return root;
  }

  /** Gives the element styles; each text is one sheet for all elements. @param {string} text */
  adoptStyles(text) {
    const isScoped = this.hasAttribute('no-shadow');
    const root = isScoped ? document : /** @type {ShadowRoot} */ (this.shadowRoot);
    if (isScoped) text = `@scope (tertulia-discussion){${text.replaceAll(':host(', ':where(:scope):where(').replaceAll(':host', ':where(:scope)')}}`;
    let sheet = sheets.get(text);
    if (!sheet) {
      sheets.set(text, (sheet = new CSSStyleSheet()));
      sheet.replaceSync(text);
    }
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  }

  /** @returns {Settings} */
  #settings() {
    /** Nothing where it is empty, too. @param {string} name */
    const read = (name) => this.getAttribute(name) || undefined;
    const number = (/** @type {string} */ name, /** @type {number} */ least, /** @type {number} */ most, /** @type {number} */ otherwise) => {
      const given = parseInt(read(name) ?? '', 10);
      return given >= least && given <= most ? given : otherwise;
    };
    /** @template {string} T @param {string} name @param {T[]} values The last one unless another is given. @returns {T} */
    const choice = (name, ...values) => values.find((value) => value === read(name)) ?? /** @type {T} */ (values.at(-1));
    const sort = choice('sort', 'oldest', 'top', 'newest');
    return {
      place: {
        server: new URL(read('server') ?? SCRIPT_ORIGIN, location.href).origin,
        site: read('site') ?? 'default',
        key: keyOf(read('discussion') ?? this.getAttribute('key')),
      },
      // a page with lang="vi_VN", or nonsense, still gets its discussion
      language: (/** @type {HTMLElement | null} */ (this.closest('[lang]'))?.lang || navigator.language).replace(/\W|_/g, '-').slice(0, 35),
      sort,
      composer: sort === 'oldest' ? choice('composer', 'top', 'bottom') : choice('composer', 'bottom', 'top'),
      time: choice('time', 'relative', 'auto', 'absolute'),
      isShortDate: !!this.closest('[data-dates="dd/mm/yy"]') || undefined,
      timezone: read('timezone'),
      heading: read('heading'),
      headingLevel: number('heading-level', 2, 6, 2),
      max: number('max', 1, 100, 50),
      depth: number('depth', 0, 3, 3),
      live: read('live'),
      isAnnounced: read('announce') !== 'off',
      isCredentialed: read('credentials') === 'include',
      tokenEndpoint: read('token-endpoint'),
    };
  }
}

/** @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();
