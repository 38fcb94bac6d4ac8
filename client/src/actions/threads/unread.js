/**
 * What is new since the reader was last here: marked, with a line before the first, and gone through one by one.
 *
 * @import { Context } from '../context.js'
 * @import { Arrivals } from '../browse/arrivals.js'
 * @import { Pagination } from '../browse/pagination.js'
 */
import { button, h, setText } from '../../page/dom.js';
import { commentId } from '../../page/names.js';
import { bringIntoView, viewport } from '../browse/scroll.js';

/** How much of a comment has to be in view. */
const SEEN = 0.5;

export class Unread {
  /** Comments that are new and not gone to yet. @type {Set<string>} */
  #unread = new Set();
  /** Comments that were new and have been seen. @type {Set<string>} */
  #seen = new Set();
  #context;
  #others;
  /** When the last visit ended, by the newest comment of that time. */
  #before;
  /** How many comments have come since, of which some may not be loaded. */
  #came;
  #isLoading = false;
  #button;
  #watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#isSeen(commentId(/** @type {Element} */ (target.parentElement)));
  }, { threshold: SEEN });

  /** @param {Context} context @param {{arrivals: Arrivals, pagination: Pagination}} others @param {string} before What the last visit left. */
  constructor(context, others, before) {
    this.#context = context;
    this.#others = others;
    const [newest, count = Infinity] = before.split(' ');
    this.#before = newest;
    this.#came = context.thread.discussion.comment_count - Number(count);
    this.#button = button('', 'next-new', () => this.#next(), { hidden: true });
  }

  start() {
    const { thread, view } = this.#context;
    view.pill.append(this.#button);
    this.mark(thread.comments.keys());
  }

  stop() {
    this.#watch.disconnect();
  }

  listReplaced() {
    this.#unread.clear();
    this.#watch.disconnect();
    this.mark(this.#context.thread.comments.keys());
  }

  /** Marks those of the comments that are new. @param {Iterable<string>} ids */
  mark(ids) {
    const { thread, list, cards } = this.#context;
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

  /** How many of those that came since are in no page yet, nor behind "more replies". */
  get #unloaded() {
    const { nextPage, nextPages } = this.#context.thread;
    return nextPage || nextPages.size ? Math.max(0, this.#came - this.#unread.size - this.#seen.size) : 0;
  }

  #showCount() {
    const n = this.#unread.size + this.#unloaded;
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

  /** Reads on, replies first, until something new is there. */
  async #load() {
    this.#isLoading = true;
    for (let isMore = true; isMore && !this.#unread.size && this.#unloaded;) {
      const [parent = null] = this.#context.thread.nextPages.keys();
      isMore = await this.#others.pagination.load(parent, true);
    }
    this.#isLoading = false;
    this.#showCount();
  }

  /** Goes to the next one below what is read, or to the first. */
  async #next() {
    if (this.#isLoading) return;
    if (!this.#unread.size) await this.#load();
    const { list } = this.#context;
    const cards = [...list.element.querySelectorAll('article.unread')].filter((card) => this.#unread.has(commentId(card)));
    const { top } = viewport(list.element);
    const below = cards.find((card) => card.getBoundingClientRect().top > top + 24) ?? cards[0];
    if (!(below instanceof HTMLElement)) return;
    this.#others.arrivals.unfold([commentId(below)]);
    this.#isSeen(commentId(below));
    list.focus(below, true);
    bringIntoView(below, 'center');
  }
}
