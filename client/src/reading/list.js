/**
 * The comments on the page: a card for each, in trees that are flat below some level.
 *
 *     .list > .chunk (≤ 50) > article ▸ .replies > article ▸ …      [more]      .list of detached ones
 *
 * Chunks are what the browser may skip drawing: per article that would cost WebKit 1.6 s an insertion at 10,000.
 *
 * @import { Comment } from '../live/wire.js'
 * @import { Thread } from '../live/thread.js'
 * @import { CardContext } from './card.js'
 */
import { button, h, setText } from '../page/dom.js';
import { commentId } from '../page/names.js';
import { Card } from './card.js';

const CHUNK = 50;
/** More comments than this are counted later. */
const COUNTED = 500;
const COUNT_MS = 500;
const SHOWN = 'article:not([hidden])';

export class List {
  /** By comment id, or by key while it is on its way. @type {Map<string, Card>} */
  cards = new Map();
  /** "More replies" of threads that are not whole. @type {Map<string, HTMLElement>} */
  #moreReplies = new Map();
  /** Tombstones that nothing answers. One that was seen to become one stays, since nothing vanishes that is read. @type {Set<string>} */
  #leftOut = new Set();
  /** The one that Tab reaches. @type {HTMLElement | undefined} */
  #roving;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #counting;
  /** Called at the end of `refresh`. */
  refreshed = () => {};

  /** @param {Thread} thread @param {CardContext} context @param {string} label The id of the heading. */
  constructor(thread, context, label) {
    this.thread = thread;
    this.context = context;
    this.feed = feed(label);
    this.more = button('', 'more', () => context.dispatch('loadMore', null));
    this.detached = feed(label);
    this.empty = h('p', { part: 'empty' }, context.t(context.canReply ? 'no_comments' : 'no_comments_closed'));
    this.element = h('div', {}, this.empty, this.feed, this.more, this.detached);
    this.element.addEventListener('click', (event) => this.#click(event));
  }

  /** Gives comments that the thread knows their place. @param {Iterable<string>} ids */
  show(ids) {
    const all = [...ids];
    const roots = new Set(all.filter((id) => this.thread.comments.get(id)?.parent_id === null));
    this.#showRoots(this.thread.roots, this.feed, roots);
    this.#showRoots(this.thread.detached, this.detached, roots);
    for (const id of all) if (!roots.has(id)) this.#showReply(id);
    this.refresh();
  }

  /** @param {string} id */
  update(id) {
    const comment = this.thread.comments.get(id);
    if (comment) this.cards.get(id)?.update(comment);
  }

  updateAll() {
    for (const id of this.cards.keys()) this.update(id);
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }

  /** What stands around the comments. */
  refresh() {
    const { thread } = this;
    for (const id of this.#leftOut) {
      const isShown = thread.isShown(id);
      /** @type {Card} */ (this.cards.get(id)).element.hidden = !isShown;
      if (isShown) this.#leftOut.delete(id);
    }
    this.empty.hidden = this.cards.size > this.#leftOut.size;
    this.feed.hidden = !this.feed.querySelector(SHOWN);
    this.detached.hidden = !this.detached.querySelector(SHOWN);
    this.more.hidden = !thread.nextPage;
    if (thread.nextPage) setText(this.more, this.context.more(thread));
    this.#number();
    this.#refreshMoreReplies();
    this.refreshed();
  }

  /** What has been loaded from either end, all of it. @returns {Element[]} */
  get chunks() {
    return [...this.feed.children, ...this.detached.children];
  }

  /** The comments that answer none. */
  get roots() {
    return this.chunks.flatMap(articles);
  }

  // ---- places -------------------------------------------------------------------------------------------

  /** @param {Comment} comment */
  card(comment) {
    const known = this.cards.get(comment.id);
    const card = known ?? new Card(comment, this.context);
    this.cards.set(comment.id, card);
    if (!known && !comment.body) this.#leftOut.add(comment.id);
    return card;
  }

  /** The card that the comment stands under: below the third level that of an ancestor. @param {Comment} comment */
  parentCard(comment) {
    const { parent_id } = comment;
    if (!parent_id) return undefined;
    const above = [parent_id, ...this.thread.ancestors(parent_id)];
    return this.cards.get(above[Math.max(0, above.length - this.context.depth)]);
  }

  /** @param {string} id */
  #showReply(id) {
    const comment = this.thread.comments.get(id);
    const parent = comment && this.parentCard(comment);
    if (!parent) return;
    const { element } = this.card(comment);
    let next = null;
    for (let one = parent.replies.lastElementChild; one; one = one.previousElementSibling) {
      if (one === element) continue;
      const other = this.#commentOf(one);
      if (other && !isBefore(comment, other)) break;
      next = one;
    }
    put(element, parent.replies, next);
  }

  /**
   * One walk from the end, however many they are: each stands before what was passed last.
   *
   * @param {string[]} order
   * @param {HTMLElement} list
   * @param {Set<string>} wanted
   */
  #showRoots(order, list, wanted) {
    let left = order.filter((id) => wanted.has(id)).length;
    /** @type {[Card, Element | null][]} */
    const places = [];
    /** @type {Element | null} */
    let following = null;
    for (let index = order.length - 1; index >= 0 && left; index--) {
      const id = order[index];
      const comment = wanted.has(id) && this.thread.comments.get(id);
      if (comment) {
        places.push([this.card(comment), following]);
        left--;
      } else following = this.cards.get(id)?.element ?? following;
    }
    for (const [{ element }, next] of places.reverse()) this.#putRoot(element, list, next);
  }

  /** @param {HTMLElement} element @param {HTMLElement} list @param {Element | null} following */
  #putRoot(element, list, following) {
    if (following) {
      const chunk = this.chunkBefore(following);
      put(element, chunk, chunk === following.parentElement ? following : null);
    } else if (!list.contains(element)) this.chunkAtEnd(list).append(element);
  }

  /** @param {Element | null} following */
  chunkBefore(following) {
    const chunk = following?.parentElement;
    if (!chunk) return this.chunkAtEnd(this.feed);
    if (chunk.childElementCount < 2 * CHUNK || following !== chunk.firstElementChild) return chunk;
    const fresh = h('div', { part: 'chunk' });
    chunk.before(fresh);
    return fresh;
  }

  /** @param {Element} list */
  chunkAtEnd(list) {
    const last = list.lastElementChild;
    if (last && last.childElementCount < CHUNK) return last;
    last?.classList.add('full');
    return list.appendChild(h('div', { part: 'chunk' }));
  }

  /** @param {Element} element */
  #commentOf(element) {
    return this.thread.comments.get(commentId(element));
  }

  /** Long lists are counted when there is time, and are of unknown size: writing ten thousand numbers takes 10 ms. */
  #number() {
    const chunks = [...this.feed.children];
    const first = this.element.querySelector(SHOWN);
    if (first && (!this.#roving?.isConnected || this.#roving.hidden)) this.#rove(/** @type {HTMLElement} */ (first));
    const size = chunks.reduce((sum, chunk) => sum + chunk.childElementCount, 0);
    clearTimeout(this.#counting);
    if (size > COUNTED) this.#counting = setTimeout(() => number(chunks.flatMap(articles), -1), COUNT_MS);
    else number(chunks.flatMap(articles), this.thread.nextPage ? -1 : size);
  }

  #refreshMoreReplies() {
    for (const [id, element] of this.#moreReplies) {
      if (this.thread.nextPages.has(id)) continue;
      element.remove();
      this.#moreReplies.delete(id);
    }
    for (const id of this.thread.nextPages.keys()) {
      const card = this.cards.get(id);
      if (!card || this.#moreReplies.has(id)) continue;
      const more = button(this.context.t('more_replies'), 'more', () => this.context.dispatch('loadMore', id));
      card.replies.after(more);
      this.#moreReplies.set(id, more);
    }
  }

  // ---- focus and presses --------------------------------------------------------------------------------

  /** @param {Event} event */
  #click({ target }) {
    const pressed = /** @type {Element} */ (target).closest('[data-act]');
    const comment = pressed && this.#commentOf(/** @type {Element} */ (pressed.closest('article')));
    if (comment) this.context.dispatch(/** @type {HTMLElement} */ (pressed).dataset.act ?? '', comment.id);
  }

  /** @param {HTMLElement} article @param {boolean} [preventScroll] */
  focus(article, preventScroll) {
    this.#rove(article);
    article.focus({ preventScroll });
  }

  /** The list costs one Tab stop: the comment that was last focused. @param {HTMLElement} article */
  #rove(article) {
    if (this.#roving) this.#roving.tabIndex = -1;
    this.#roving = article;
    article.tabIndex = 0;
  }
}

/** @param {Element} chunk */
const articles = (chunk) => [...chunk.children];

/** Writes only what differs, which for arrivals at the end is nearly nothing. @param {Element[]} all @param {number} total */
function number(all, total) {
  const size = String(total);
  all.forEach((article, index) => {
    const place = String(index + 1);
    if (article.ariaPosInSet !== place) article.ariaPosInSet = place;
    if (article.ariaSetSize !== size) article.ariaSetSize = size;
  });
}

/** @param {string} label */
function feed(label) {
  return h('div', { part: 'list', role: 'feed', 'aria-labelledby': label });
}

/** @param {Comment} one @param {Comment} other */
function isBefore(one, other) {
  return one.created_at < other.created_at || (one.created_at === other.created_at && one.id < other.id);
}

/** Moves only what is elsewhere: moving would take the focus away. @param {Element} element @param {Element} parent @param {Element | null} next */
function put(element, parent, next) {
  if (element.parentElement !== parent || element.nextElementSibling !== next) parent.insertBefore(element, next);
}
