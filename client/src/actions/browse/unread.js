/**
 * What is new since the reader was last here: marked, told by a line before the first, and gone through one by one.
 *
 * @import { Actions } from '../actions.js'
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
  #actions;
  #session;
  #item;
  /** When the last visit ended, by the newest comment of that time. @type {string | null} */
  #before;
  #button;
  #watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#isSeen(commentId(/** @type {Element} */ (target.parentElement)));
  }, { threshold: SEEN });

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    const { session } = actions;
    this.#session = session;
    const { place } = session.settings;
    this.#item = itemName('seen', place, place.key);
    this.#before = session.storage.get(this.#item);
    this.#button = button('', 'next-new', () => this.next(), { hidden: true });
    const { signal, view } = session;
    view.pill.append(this.#button);
    signal.addEventListener('abort', () => this.#watch.disconnect());
    addEventListener('pagehide', () => this.close(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.close(), { signal });
  }

  /** Remembers what has been here to see. */
  close() {
    const { thread, storage } = this.#session;
    let newest = this.#before ?? new Date(0).toISOString();
    for (const { id, created_at } of thread.comments.values()) {
      if (created_at > newest && !this.#actions.arrivals.waiting.has(id)) newest = created_at;
    }
    storage.set(this.#item, newest);
  }

  /** The list was made anew. */
  restart() {
    this.#unread.clear();
    this.#watch.disconnect();
    this.mark(this.#session.thread.comments.keys());
  }

  /** Marks those of the comments that are new. @param {Iterable<string>} ids */
  mark(ids) {
    const { thread, list, cardContext } = this.#session;
    if (!this.#before) return;
    for (const id of ids) {
      const comment = thread.comments.get(id);
      if (!comment?.body || this.#seen.has(id) || comment.created_at <= this.#before || cardContext.isOwn(comment)) continue;
      this.#unread.add(id);
      const element = list.cards.get(id)?.element;
      element?.classList.add('unread');
      // the box, without the replies: those may be higher than the window
      if (element?.firstElementChild) this.#watch.observe(element.firstElementChild);
    }
    this.#divide();
    this.#tell();
  }

  /** The line stands in the first new comment, since a feed may hold articles only. */
  #divide() {
    const { list, thread } = this.#session;
    if (thread.sort === 'top' || list.element.querySelector('.divider')) return;
    const { roots } = list;
    const first = roots.findIndex((article) => article.classList.contains('unread'));
    if (first < 0 || (thread.sort === 'oldest' && first === 0)) return;
    roots[first].prepend(h('p', { part: 'divider', class: 'divider' }, this.#session.t('since_last_visit')));
  }

  #tell() {
    const n = this.#unread.size;
    this.#button.hidden = n === 0;
    setText(this.#button, `${this.#session.t('next_new')} (${n})`);
  }

  /** @param {string} id */
  #isSeen(id) {
    if (!this.#unread.delete(id)) return;
    this.#seen.add(id);
    const box = this.#session.list.cards.get(id)?.element.firstElementChild;
    if (box) this.#watch.unobserve(box);
    this.#tell();
  }

  /** Goes to the next one below what is read, or to the first. */
  next() {
    const { list } = this.#session;
    const cards = [...list.element.querySelectorAll('article.unread')].filter((card) => this.#unread.has(commentId(card)));
    const { top } = viewport(list.element);
    const below = cards.find((card) => card.getBoundingClientRect().top > top + 24) ?? cards[0];
    if (!(below instanceof HTMLElement)) return;
    this.#isSeen(commentId(below));
    list.focus(below, true);
    bringIntoView(below, 'center');
  }
}
