/**
 * When comments that arrive may appear: at once where the reader sees the end that grows and is not busy in the
 * list; otherwise they wait behind a pill, so that nothing moves what is being read.
 *
 * @import { List } from './list.js'
 *
 * @typedef {object} Options
 * @property {() => List} list
 * @property {Document | ShadowRoot} root
 * @property {(ids: string[]) => void} shown
 * @property {() => void} counted
 */
import { anchorIn, bringIntoView, isInView, keeping } from './scroll.js';

const SOON_MS = 150;
const BURST_MS = 1000;
const BURST = 5;
/** How far from the growing end still counts as seeing it. */
const NEAR_PX = 80;
const NEW_MS = 5000;

export class Arrivals {
  /** @type {Set<string>} */
  waiting = new Set();
  isPaused = false;
  #options;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Options} options @param {AbortSignal} signal */
  constructor(options, signal) {
    this.#options = options;
    const look = () => this.look();
    document.addEventListener('scroll', look, { signal, passive: true, capture: true });
    document.addEventListener('visibilitychange', look, { signal });
    options.root.addEventListener('focusout', look, { signal });
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** @param {string} id */
  add(id) {
    this.waiting.add(id);
    this.#options.counted();
    this.look();
  }

  /** @param {string} id It has appeared another way, or is gone. */
  drop(id) {
    this.waiting.delete(id);
    this.#options.counted();
  }

  /** Shows all that wait and goes to the first of them in reading order. */
  showAll() {
    const ids = [...this.waiting];
    this.#show(ids);
    const elements = ids.flatMap((id) => this.#options.list().cards.get(id)?.element ?? []);
    elements.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    if (!elements[0]) return;
    this.#options.list().focus(elements[0], true);
    bringIntoView(elements[0], 'center');
  }

  /** Looks, a moment later, whether what waits may appear now. */
  look() {
    if (this.#timer || !this.waiting.size || this.isPaused) return;
    const wait = this.waiting.size > BURST ? BURST_MS : SOON_MS;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.isPaused) this.#show([...this.waiting].filter((id) => this.#mayShow(id)));
    }, wait);
  }

  /** @param {string[]} ids */
  #show(ids) {
    const list = this.#options.list();
    keeping(anchorIn(this.#options.root), () => list.show(ids));
    const fit = ids.filter((id) => list.cards.has(id));
    if (!fit.length) return;
    for (const id of fit) {
      this.waiting.delete(id);
      flash(list.cards.get(id)?.element);
    }
    this.#options.counted();
    this.#options.shown(fit);
  }

  /** @param {string} id */
  #mayShow(id) {
    if (document.hidden) return false;
    const list = this.#options.list();
    const active = this.#options.root.activeElement;
    if (list.cards.size === 0) return true;
    if (active && list.element.contains(active)) return false;
    const slot = list.slot(id);
    if (slot) return isInView(bottomOf(slot));
    const { top, bottom } = list.element.getBoundingClientRect();
    if (list.thread.sort === 'newest') return top > -NEAR_PX;
    return isInView({ top: bottom - NEAR_PX, bottom });
  }
}

/** @param {Element} element */
function bottomOf(element) {
  const { bottom } = element.getBoundingClientRect();
  return { top: bottom, bottom };
}

/** @param {Element | undefined} element */
export function flash(element) {
  element?.classList.add('new');
  setTimeout(() => element?.classList.remove('new'), NEW_MS);
}
