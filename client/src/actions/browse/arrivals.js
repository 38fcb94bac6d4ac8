/**
 * When comments that arrive may appear: at once where the reader sees the end that grows and is not busy in the
 * list; otherwise they wait, so that nothing moves what is being read: replies behind a chip on what they answer, the
 * others behind the pill.
 *
 * @import { Comment } from '../../live/wire.js'
 * @import { Change } from '../../live/thread.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 */
import { leftOut } from './threadPages.js';
import { h, setText } from '../../page/dom.js';
import { bringIntoView, isInView, viewport } from './scroll.js';
import { preserveScroll } from './scrollAnchor.js';

const SOON_MS = 50;
const BURST_MS = 1000;
const BURST = 5;
/** How far from the growing end still counts as seeing it. */
const NEAR_PX = 80;
const NEW_MS = 5000;
/** More chips than these are not gone through one by one: the pill offers all that is new instead. */
const CHIPS = 4;

export class Arrivals {
  /** @type {Set<string>} */
  waiting = new Set();
  /** What the pill shows: what has a place of its own, after a busy minute replies as well. @type {string[]} */
  offered = [];
  /** While only some comments show, arrivals wait. */
  isFrozen = false;
  /** Opens the threads that hide these. @type {(ids: string[]) => void} */
  unfold = () => {};
  /** What was asked for need not be announced. */
  isQuiet = false;
  /** Whether a comment may be one's own, whose answer decides. @type {(comment: Comment) => boolean} */
  isHeldBack = () => false;
  #context;
  #announcer;
  /** By the comment that they stand at. @type {Map<string, HTMLButtonElement>} */
  #chips = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
  }

  start() {
    const { root, signal } = this.#context;
    const look = () => this.look();
    document.addEventListener('scroll', look, { signal, passive: true, capture: true });
    document.addEventListener('visibilitychange', look, { signal });
    root.addEventListener('focusout', look, { signal });
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Thousands may come at once, so they are counted once. @param {Change[]} changes */
  changed(changes) {
    const { comments } = this.#context.thread;
    for (const change of changes) {
      const comment = change.type === 'added' && comments.get(change.id);
      if (comment && !this.isHeldBack(comment)) this.add(comment.id);
    }
    this.#count();
    this.look();
  }

  listReplaced() {
    this.waiting.clear();
    this.#chips.clear();
    this.#count();
  }

  /** It is counted with the next change. @param {string} id */
  add(id) {
    this.waiting.add(id);
    this.look();
  }

  /** @param {string} id It has appeared another way, or is gone. */
  drop(id) {
    if (this.waiting.delete(id)) this.#count();
  }

  // ---- what waits is counted ----------------------------------------------------------------------------

  #count() {
    const { t, thread, view, isPaused, unseen } = this.#context;
    const branches = this.#branches();
    const more = leftOut(thread);
    const count = this.waiting.size + more;
    this.offered = branches.size > CHIPS ? [...this.waiting] : (branches.get('') ?? []);
    const offered = this.offered.length + more;
    view.pillButton.hidden = !offered;
    setText(view.pillButton, t('new_comments', { n: offered }));
    this.#setChips(branches.size > CHIPS ? new Map() : branches);
    if (count === unseen) return;
    if (!isPaused && !this.isQuiet) this.#announcer.arrived(count - unseen);
    this.#context.setUnseen(count);
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
    const { thread, list } = this.#context;
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
      const card = this.#context.list.cards.get(id);
      if (!card) continue;
      const chip = this.#chips.get(id) ?? h('button', { type: 'button', part: 'chip' });
      // a removed comment has no actions, but may have replies
      const place = card.actions.hidden ? /** @type {HTMLElement} */ (card.actions.parentElement) : card.actions;
      if (chip.parentElement !== place) place.append(chip);
      this.#chips.set(id, chip);
      chip.onclick = () => this.goTo(ids);
      setText(chip, this.#context.t('new_replies', { n: ids.length }));
    }
  }

  // ---- what waits appears -------------------------------------------------------------------------------

  /** Shows these and goes to the first of them in reading order. @param {string[]} ids */
  goTo(ids) {
    const { list } = this.#context;
    this.#show(ids);
    this.unfold(ids);
    const elements = ids.flatMap((id) => list.cards.get(id)?.element ?? []);
    elements.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    if (!elements[0]) return;
    list.focus(elements[0], true);
    bringIntoView(elements[0], 'center');
  }

  /** Looks, a moment later, whether what waits may appear now. */
  look() {
    if (this.#timer || !this.waiting.size || this.#context.isPaused || this.isFrozen) return;
    const { size } = this.waiting;
    const wait = size > BURST ? BURST_MS : (size - 1) * SOON_MS;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#context.isPaused && !this.isFrozen) this.#show(this.#showable());
    }, wait);
  }

  /** @param {string[]} ids */
  #show(ids) {
    if (!ids.length) return;
    const { list } = this.#context;
    preserveScroll(list, () => list.show(ids));
    const fit = ids.filter((id) => list.cards.has(id));
    if (!fit.length) return;
    for (const id of fit) {
      this.waiting.delete(id);
      flash(list.cards.get(id)?.element);
    }
    this.#count();
  }

  /** What would stand at the edge that is in view. @returns {string[]} */
  #showable() {
    const { list } = this.#context;
    const waiting = [...this.waiting];
    if (document.hidden) return [];
    if (list.cards.size === 0) return waiting;
    const { activeElement } = /** @type {Document | ShadowRoot} */ (list.element.getRootNode());
    if (list.element.contains(activeElement)) return [];
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
