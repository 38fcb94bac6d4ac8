/**
 * When comments that arrive may appear: at once where the reader sees the end that grows and is not busy in the
 * list; otherwise they wait, so that nothing moves what is being read: replies behind a chip on what they answer, the
 * others behind the pill.
 *
 * @import { Actions } from '../actions.js'
 */
import { leftOut } from './threadPages.js';
import { h, setText } from '../../page/dom.js';
import { bringIntoView, isInView, viewport } from './scroll.js';

const SOON_MS = 50;
const BURST_MS = 1000;
const BURST = 5;
/** How far from the growing end still counts as seeing it. */
const NEAR_PX = 80;
const NEW_MS = 5000;

export class Arrivals {
  /** @type {Set<string>} */
  waiting = new Set();
  #actions;
  #session;
  /** Knows which element has the focus. @type {DocumentOrShadowRoot} */
  #root;
  /** By the comment that they stand at. @type {Map<string, HTMLButtonElement>} */
  #chips = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#session = actions.session;
    const { root, signal } = this.#session;
    this.#root = root instanceof ShadowRoot ? root : document;
    const look = () => this.look();
    document.addEventListener('scroll', look, { signal, passive: true, capture: true });
    document.addEventListener('visibilitychange', look, { signal });
    root.addEventListener('focusout', look, { signal });
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Whoever adds counts when all are in: thousands may come at once. @param {string} id */
  add(id) {
    this.waiting.add(id);
    this.look();
  }

  /** @param {string} id It has appeared another way, or is gone. */
  drop(id) {
    if (this.waiting.delete(id)) this.count();
  }

  /** The list was made anew, with all of them. */
  clear() {
    this.waiting.clear();
    this.#chips.clear();
    this.count();
  }

  // ---- what waits is told -------------------------------------------------------------------------------

  count() {
    const { thread, view, isPaused } = this.#session;
    const branches = this.#branches();
    const listed = branches.get('')?.length ?? 0;
    const more = leftOut(thread);
    const count = this.waiting.size + more;
    view.setUnseen(listed + more, count);
    this.#setChips(isPaused ? new Map() : branches);
    const grown = count - this.#session.unseen;
    if (!grown) return;
    if (!isPaused && !this.#actions.pagination.isFilling) this.#actions.announcer.arrived(grown);
    this.#session.unseen = count;
    this.#session.emit('unseen', { count });
  }

  /** What waits, by the comment on the page that it stands under; '' for what has a place of its own. @returns {Map<string, string[]>} */
  #branches() {
    /** @type {Map<string, string[]>} */
    const branches = new Map();
    for (const id of this.waiting) {
      const above = this.#above(id) ?? '';
      const branch = branches.get(above);
      if (branch) branch.push(id);
      else branches.set(above, [id]);
    }
    return branches;
  }

  /** The nearest comment on the page that it stands under. @param {string} id */
  #above(id) {
    const { thread, list } = this.#session;
    return thread.ancestors(id).find((one) => list.cards.has(one));
  }

  /** @param {Map<string, string[]>} branches */
  #setChips(branches) {
    for (const [id, chip] of this.#chips) {
      if (branches.has(id)) continue;
      chip.remove();
      this.#chips.delete(id);
    }
    for (const [id, ids] of branches) {
      const card = this.#session.list.cards.get(id);
      if (!card) continue;
      const chip = this.#chips.get(id) ?? h('button', { type: 'button', part: 'chip' });
      // a removed comment has no actions, but may have replies
      const place = card.actions.hidden ? /** @type {HTMLElement} */ (card.actions.parentElement) : card.actions;
      if (chip.parentElement !== place) place.append(chip);
      this.#chips.set(id, chip);
      chip.onclick = () => this.goTo(ids);
      setText(chip, this.#session.t('new_replies', { n: ids.length }));
    }
  }

  // ---- what waits appears -------------------------------------------------------------------------------

  /** All that has a place of its own. @returns {string[]} */
  get listed() {
    return this.#branches().get('') ?? [];
  }

  /** Shows these and goes to the first of them in reading order. @param {string[]} ids */
  goTo(ids) {
    const { list } = this.#session;
    this.#show(ids);
    const elements = ids.flatMap((id) => list.cards.get(id)?.element ?? []);
    elements.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    if (!elements[0]) return;
    list.focus(elements[0], true);
    bringIntoView(elements[0], 'center');
  }

  /** Looks, a moment later, whether what waits may appear now. */
  look() {
    if (this.#timer || !this.waiting.size || this.#session.isPaused || this.#actions.search?.isFiltering) return;
    const { size } = this.waiting;
    const wait = size > BURST ? BURST_MS : (size - 1) * SOON_MS;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#session.isPaused && !this.#actions.search.isFiltering) this.#show(this.#showable());
    }, wait);
  }

  /** @param {string[]} ids */
  #show(ids) {
    if (!ids.length) return;
    const { list } = this.#session;
    this.#actions.preserveScroll(() => list.show(ids));
    const fit = ids.filter((id) => list.cards.has(id));
    if (!fit.length) return;
    for (const id of fit) {
      this.waiting.delete(id);
      flash(list.cards.get(id)?.element);
    }
    this.count();
  }

  /** What would stand at the edge that is in view. @returns {string[]} */
  #showable() {
    const { list } = this.#session;
    const waiting = [...this.waiting];
    if (document.hidden) return [];
    if (list.cards.size === 0) return waiting;
    const active = this.#root.activeElement;
    if (active && list.element.contains(active)) return [];
    const { top, bottom } = list.element.getBoundingClientRect();
    const shown = viewport(list.element);
    const isAtStart = top > shown.top - NEAR_PX;
    const isAtEnd = isInView({ top: bottom - NEAR_PX, bottom }, shown);
    const last = list.roots.at(-1);
    return waiting.filter((id) => {
      const branch = this.#above(id);
      // below a reply to the last comment stands nothing of the list
      if (branch) return isAtEnd && list.cards.get(branch)?.element.closest('.chunk > article') === last;
      return list.thread.sort === 'newest' ? isAtStart : isAtEnd;
    });
  }
}

/** @param {Element | undefined} element */
function flash(element) {
  element?.classList.add('new');
  setTimeout(() => element?.classList.remove('new'), NEW_MS);
}
