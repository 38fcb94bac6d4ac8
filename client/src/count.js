/**
 * `<tertulia-count discussion="…">`: how many comments a discussion has, as a number in the page's language. All elements of
 * a page ask together. Its children stay until the answer is there, and where none comes.
 */
import { isMistake, warn } from './page/address.js';

const MOST_KEYS = 100;
// servers in between let 8 KiB into the first line of a request
const LONGEST_ADDRESS = 6000;

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
const HERE = script?.src || location.href;

/** @typedef {Map<string, TertuliaCount[]>} Asking Key → who wants to know. */

/** @type {Set<TertuliaCount>} */
let waiting = new Set();

class TertuliaCount extends HTMLElement {
  static observedAttributes = ['key', 'site', 'server', 'discussion'];

  /** @type {number | null} Null until it is known. */
  count = null;

  connectedCallback() {
    // no microtask: while a page is parsed, those run after each element
    if (!waiting.size) setTimeout(flush);
    waiting.add(this);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  /** Whom it asks about which site: an address to which keys are added. Throws where `server` is no address. */
  get place() {
    const url = new URL('/api/v1/counts', new URL(this.getAttribute('server') ?? '', HERE));
    return `${url}?${new URLSearchParams({ site: this.getAttribute('site') || 'default' })}`;
  }

  /** @param {number} count */
  show(count) {
    const language = /** @type {HTMLElement | null} */ (this.closest('[lang]'))?.lang;
    this.count = count;
    this.textContent = format(count, language);
    this.dispatchEvent(new CustomEvent('tertulia-count', { detail: { count }, bubbles: true, composed: true }));
  }
}

/** @param {number} count @param {string} [language] */
function format(count, language) {
  try {
    return count.toLocaleString(language || undefined);
  } catch {
    return `${count}`; // a page may name any language
  }
}

/** Asks for all that wait: once for each server and site, and once for each key. */
function flush() {
  /** @type {Map<string, Asking>} */
  const places = new Map();
  for (const element of waiting) {
    const key = named(element);
    if (!key || !element.isConnected) continue;
    if (isMistake(key)) {
      warn(key);
      continue;
    }
    try {
      const { place } = element;
      const asking = places.get(place) ?? new Map();
      places.set(place, asking.set(key, [...(asking.get(key) ?? []), element]));
    } catch {
      // its children stay
    }
  }
  waiting = new Set();
  for (const [place, asking] of places) {
    /** @type {string[]} */
    let keys = [];
    let { length } = place;
    for (const key of asking.keys()) {
      const more = parameter(key).length;
      if (keys[0] && (keys.length === MOST_KEYS || length + more > LONGEST_ADDRESS)) {
        ask(place, asking, keys);
        keys = [];
        ({ length } = place);
      }
      keys.push(key);
      length += more;
    }
    ask(place, asking, keys);
  }
}

/** What it is about. @param {Element} element */
const named = (element) => element.getAttribute('discussion') || element.getAttribute('key');

/** @param {string} key */
function parameter(key) {
  return `&${new URLSearchParams({ key })}`;
}

/** @param {string} place @param {Asking} asking @param {string[]} keys */
async function ask(place, asking, keys) {
  const answer = await fetch(place + keys.map(parameter).join('')).catch(() => null);
  if (answer?.status === 422 && keys[1]) {
    // a key that cannot be one; the others are asked for without it
    const half = keys.length >> 1;
    ask(place, asking, keys.slice(0, half));
    ask(place, asking, keys.slice(half));
  }
  const { counts } = answer?.ok ? await answer.json().catch(() => ({})) : {};
  for (const { key, count } of counts ?? []) {
    for (const element of asking.get(key) ?? []) if (named(element) === key && element.place === place) element.show(count);
  }
}

// a page that includes the script twice keeps the first
if (!customElements.get('tertulia-count')) customElements.define('tertulia-count', TertuliaCount);
