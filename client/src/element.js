/**
 * `<tertulia-discussion>`: reads its attributes, shows what the server rendered until the comments are there, and
 * keeps one session open while it stands in a page.
 *
 * @import { Sort } from './wire.js'
 */
import css from './styles.css';
import { Session } from './session.js';

/** @typedef {import('./session.js').Settings} Settings */

/** Elements nearer than this to the viewport load and connect; readers who never come near cost nothing. */
const NEAR = '600px';
const LINK = /^#comment-([\w-]+)$/;

const SCRIPT_ORIGIN = scriptOrigin();

export class TertuliaDiscussion extends HTMLElement {
  static observedAttributes = [
    'key', 'site', 'server', 'lang', 'sort', 'composer', 'time', 'timezone', 'live', 'heading', 'no-shadow',
  ];

  /** @type {Session | null} */
  #session = null;
  /** @type {IntersectionObserver | null} */
  #observer = null;
  #isStale = false;

  connectedCallback() {
    this.#open();
  }

  disconnectedCallback() {
    this.#close();
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === 'live') return this.#session?.setLive(after !== 'off');
    if (this.#isStale || !(this.#session || this.#observer)) return;
    this.#isStale = true;
    queueMicrotask(() => {
      this.#isStale = false;
      if (!this.isConnected) return;
      this.#close();
      this.#open();
    });
  }

  // ---- life cycle ---------------------------------------------------------------------------------------

  #open() {
    const root = this.#root();
    if (LINK.test(location.hash) || !globalThis.IntersectionObserver) return this.#start(root);
    this.#observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#start(root);
    }, { rootMargin: NEAR });
    this.#observer.observe(this);
  }

  /** @param {ShadowRoot | HTMLElement} root */
  #start(root) {
    this.#observer?.disconnect();
    this.#observer = null;
    this.#session = new Session(this, root, this.#settings());
  }

  #close() {
    this.#observer?.disconnect();
    this.#observer = null;
    this.#session?.close();
    this.#session = null;
  }

  /** @returns {ShadowRoot | HTMLElement} */
  #root() {
    if (this.hasAttribute('no-shadow')) {
      adopt(document, () => `@scope (tertulia-discussion){${css.replaceAll(':host(', ':scope:is(').replaceAll(':host', ':scope')}}`);
      return this;
    }
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    adopt(root, () => css);
    if (!root.firstChild) root.append(document.createElement('slot'));
    return root;
  }

  /** @returns {Settings} */
  #settings() {
    const read = (/** @type {string} */ name, /** @type {string} */ otherwise) => this.getAttribute(name) || otherwise;
    const sort = /** @type {Sort} */ (oneOf(['oldest', 'newest', 'top'], this.getAttribute('sort')));
    return {
      place: {
        server: new URL(read('server', SCRIPT_ORIGIN), location.href).origin,
        site: read('site', 'default'),
        key: read('key', pageKey()),
      },
      language: /** @type {HTMLElement | null} */ (this.closest('[lang]'))?.lang || navigator.language,
      sort,
      composer: read('composer', sort === 'oldest' ? 'bottom' : 'top') === 'top' ? 'top' : 'bottom',
      time: this.getAttribute('time') === 'relative' ? 'relative' : 'absolute',
      timezone: this.getAttribute('timezone') ?? undefined,
      heading: this.getAttribute('heading') ?? undefined,
      isLive: this.getAttribute('live') !== 'off',
    };
  }
}

/** @type {Map<boolean, CSSStyleSheet>} Shared by all elements: one with `@scope`, one without. */
const sheets = new Map();

/** @param {DocumentOrShadowRoot} root @param {() => string} text */
function adopt(root, text) {
  const isScoped = root === document;
  let sheet = sheets.get(isScoped);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text());
    sheets.set(isScoped, sheet);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

/** @param {string[]} values @param {string | null} value */
function oneOf(values, value) {
  return value && values.includes(value) ? value : values[0];
}

/** The page's own name for itself: its canonical address, else the address without query and fragment. */
function pageKey() {
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="canonical"]'));
  return link?.href || location.origin + location.pathname;
}

function scriptOrigin() {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  return script?.src ? new URL(script.src).origin : location.origin;
}
