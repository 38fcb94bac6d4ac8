/**
 * Threads fold: a press on the line beside the replies, or on the button at its upper end, leaves one line of them, which
 * says how many there are, and how many of them are new. What is folded stays so for the visit.
 *
 * @import { Context } from '../context.js'
 * @import { Arrivals } from '../browse/arrivals.js'
 */
import { button, h, setText } from '../../page/dom.js';
import { commentId, itemName } from '../../page/names.js';
import { SafeStorage } from '../../page/storage.js';
import { scrollBy, viewport } from '../browse/scroll.js';
import { preserveScroll } from '../browse/scrollAnchor.js';

/** How far below the edge the line of a thread stands whose upper end was not in view. */
const MARGIN_PX = 16;

export class Folding {
  #context;
  #item;
  #visit = new SafeStorage(() => globalThis.sessionStorage);
  /** How many replies there were when it was folded, by comment. @type {Map<string, number>} */
  #folded = new Map();

  /** @param {Context} context @param {Arrivals} arrivals */
  constructor(context, arrivals) {
    this.#context = context;
    const { place } = context.settings;
    this.#item = itemName('folded', place, place.key);
    for (const id of this.#visit.get(this.#item)?.split(' ') ?? []) this.#folded.set(id, this.#count(id));
    arrivals.unfold = (ids) => this.#unfold(ids);
  }

  start() {
    const { root, signal } = this.#context;
    root.addEventListener('click', ({ target }) => {
      const pressed = /** @type {Element} */ (target);
      // the line is no element of its own: a press on it is one on the replies themselves
      const replies = pressed.matches('.replies') ? pressed : pressed.closest('.fold')?.parentElement;
      if (replies) this.#toggle(replies);
    }, { signal });
    this.listReplaced();
  }

  listReplaced() {
    preserveScroll(this.#context.list, () => this.refreshed());
  }

  refreshed() {
    for (const replies of this.#context.list.element.querySelectorAll('.replies')) this.#show(replies);
  }

  /** @param {Element} replies */
  #show(replies) {
    const { t, thread } = this.#context;
    const article = replies.closest('article');
    if (!article || !replies.querySelector('article')) return;
    const id = commentId(article);
    const first = replies.firstElementChild;
    const fold = replies.querySelector(':scope > .fold') ?? button('', 'fold', undefined, { 'aria-expanded': 'true' });
    if (!fold.firstElementChild) fold.append(h('span'));
    if (fold !== first) replies.prepend(fold);
    const before = this.#folded.get(id);
    const isOpen = before === undefined;
    replies.classList.toggle('folded', !isOpen);
    const n = this.#count(id);
    const label = t(isOpen ? 'hide_replies' : 'show_replies', { n });
    const seen = isOpen || n <= before ? label : `${label} (${t('new_replies', { n: n - before })})`;
    const text = /** @type {Element} */ (fold.firstElementChild);
    setText(text, seen);
    text.classList.toggle('unseen', isOpen);
    fold.ariaExpanded = String(isOpen);
    const name = thread.comments.get(id)?.author?.name;
    fold.ariaLabel = name ? `${seen}: ${name}` : seen;
  }

  /** What stands below a comment, and what waits to. @param {string} id @returns {number} */
  #count(id) {
    const { comments, children } = this.#context.thread;
    return (children.get(id) ?? []).reduce((sum, one) => sum + Number(!!comments.get(one)?.body) + this.#count(one), 0);
  }

  /** The line stays under the pointer, or comes into view with the end of what it stood beside. @param {Element} replies */
  #toggle(replies) {
    const id = commentId(/** @type {Element} */ (replies.closest('article')));
    const fold = /** @type {Element} */ (replies.firstElementChild);
    const wanted = Math.max(fold.getBoundingClientRect().top, viewport(fold).top + MARGIN_PX);
    if (!this.#folded.delete(id)) this.#folded.set(id, this.#count(id));
    this.#keep();
    scrollBy(fold, fold.getBoundingClientRect().top - wanted);
  }

  /** Lets comments be seen. @param {string[]} ids */
  #unfold(ids) {
    const above = ids.flatMap((id) => this.#context.thread.ancestors(id));
    const opened = above.filter((id) => this.#folded.delete(id));
    if (opened.length) preserveScroll(this.#context.list, () => this.#keep());
  }

  #keep() {
    this.#visit.set(this.#item, [...this.#folded.keys()].join(' '));
    this.refreshed();
  }
}
