/**
 * What is new since the reader was last here: marked, with a line before the first, and gone through one by one.
 *
 * @import { Context } from '../context.js'
 * @import { Arrivals } from './arrivals.js'
 */
import { button, h, setText } from '../../page/dom.js';
import { commentId, itemName } from '../../page/names.js';
import { bringIntoView, viewport } from './scroll.js';

/** How much of a comment has to be in view. */
const SEEN = 0.5;

export class Unread {
  /** Comments that are new and not gone to yet. @type {Set<string>} */
  #unread = new Set();
  /** Comments that were new and have been seen. @type {Set<string>} */
  #seen = new Set();
  #context;
  #arrivals;
  #item;
  /** When the last visit ended, by the newest comment of that time. @type {string | null} */
  #before;
  #button;
  #watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#isSeen(commentId(/** @type {Element} */ (target.parentElement)));
  }, { threshold: SEEN });

  /** @param {Context} context @param {Arrivals} arrivals */
  constructor(context, arrivals) {
    this.#context = context;
    this.#arrivals = arrivals;
    const { place } = context.settings;
    this.#item = itemName('seen', place, place.key);
    this.#before = context.storage.get(this.#item);
    this.#button = button('', 'next-new', () => this.#next(), { hidden: true });
  }

  start() {
    const { signal, thread, view } = this.#context;
    view.pill.append(this.#button);
    signal.addEventListener('abort', () => this.#watch.disconnect());
    addEventListener('pagehide', () => this.stop(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.stop(), { signal });
    this.mark(thread.comments.keys());
  }

  /** Remembers what has been here to see. */
  stop() {
    const { thread, storage } = this.#context;
    let newest = this.#before ?? new Date(0).toISOString();
    for (const { id, created_at } of thread.comments.values()) {
      if (created_at > newest && !this.#arrivals.waiting.has(id)) newest = created_at;
    }
    storage.set(this.#item, newest);
  }

  listReplaced() {
    this.#unread.clear();
    this.#watch.disconnect();
    this.mark(this.#context.thread.comments.keys());
  }

  /** Marks those of the comments that are new. @param {Iterable<string>} ids */
  mark(ids) {
    const { thread, list, cards } = this.#context;
    if (!this.#before) return;
    for (const id of ids) {
      const comment = thread.comments.get(id);
      if (!comment?.body || this.#seen.has(id) || comment.created_at <= this.#before || cards.isOwn(comment)) continue;
      this.#unread.add(id);
      const element = list.cards.get(id)?.element;
      element?.classList.add('unread');
      // the box, without the replies: those may be higher than the window
      if (element?.firstElementChild) this.#watch.observe(element.firstElementChild);
    }
    this.#divide();
    this.#showCount();
  }

  /** The line stands in the first new comment, since a feed may hold articles only. */
  #divide() {
    const { list, thread } = this.#context;
    if (thread.sort === 'top' || list.element.querySelector('.divider')) return;
    const { roots } = list;
    const first = roots.findIndex((article) => article.classList.contains('unread'));
    if (first < 0 || (thread.sort === 'oldest' && first === 0)) return;
    roots[first].prepend(h('p', { part: 'divider', class: 'divider' }, this.#context.t('since_last_visit')));
  }

  #showCount() {
    const n = this.#unread.size;
    this.#button.hidden = n === 0;
    setText(this.#button, `${this.#context.t('next_new')} (${n})`);
  }

  /** @param {string} id */
  #isSeen(id) {
    if (!this.#unread.delete(id)) return;
    this.#seen.add(id);
    const box = this.#context.list.cards.get(id)?.element.firstElementChild;
    if (box) this.#watch.unobserve(box);
    this.#showCount();
  }

  /** Goes to the next one below what is read, or to the first. */
  #next() {
    const { list } = this.#context;
    const cards = [...list.element.querySelectorAll('article.unread')].filter((card) => this.#unread.has(commentId(card)));
    const { top } = viewport(list.element);
    const below = cards.find((card) => card.getBoundingClientRect().top > top + 24) ?? cards[0];
    if (!(below instanceof HTMLElement)) return;
    this.#isSeen(commentId(below));
    list.focus(below, true);
    bringIntoView(below, 'center');
  }
}
