/**
 * The comments on the page: a card for each, in trees that are flat below some level.
 *
 *     .list > .chunk (≤ 50) > article ▸ .replies > article ▸ …      [more]      .list of what stands beyond
 *
 * Chunks are what the browser may skip drawing: per article that would cost WebKit 1.6 s an insertion at 10,000.
 *
 * @import { Comment } from '../live/wire.js'
 * @import { Thread } from '../live/thread.js'
 * @import { Desk } from './desk.js'
 */
import { button, h, setAttribute, setText } from '../page/dom.js';
import { Card } from './card.js';

const CHUNK = 50;

export class List {
  /** By comment id, or by key while it is on its way. @type {Map<string, Card>} */
  cards = new Map();
  #desk;
  #loadMore;
  /** "More replies" of threads that are not whole. @type {Map<string, HTMLElement>} */
  #rests = new Map();
  /** @param {Thread} thread @param {Desk} desk @param {string} label The id of the heading. @param {(parent: string | null) => void} loadMore */
  constructor(thread, desk, label, loadMore) {
    this.thread = thread;
    this.#desk = desk;
    this.#loadMore = loadMore;
    this.feed = feed(label);
    this.more = button('', 'more', () => loadMore(null));
    this.beyond = feed(label);
    this.empty = h('p', { part: 'empty' }, desk.say(desk.canReply ? 'no_comments' : 'no_comments_closed'));
    this.element = h('div', {}, this.empty, this.feed, this.more, this.beyond);
    this.element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Gives comments that the thread knows their place. @param {Iterable<string>} ids */
  show(ids) {
    for (const id of ids) this.#show(id);
    this.refresh();
  }

  /** Whether what it stands under has a card. @param {string} id */
  #hasPlace(id) {
    const comment = this.thread.comments.get(id);
    return comment !== undefined && (!comment.parent_id || this.#parentCard(comment) !== undefined);
  }

  /** @param {string} id */
  update(id) {
    const comment = this.thread.comments.get(id);
    if (comment) this.cards.get(id)?.update(comment);
  }

  updateAll() {
    for (const id of this.cards.keys()) this.update(id);
    this.refresh();
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }

  /** What stands around the comments. */
  refresh() {
    const { thread } = this;
    this.empty.hidden = this.cards.size > 0;
    this.feed.hidden = !this.feed.querySelector('article');
    this.beyond.hidden = !this.beyond.querySelector('article');
    this.more.hidden = !thread.rest;
    setText(this.more, this.#desk.say('show_more', { n: thread.unloaded || 1 }));
    this.#number();
    this.#refreshRests();
  }

  // ---- on their way -------------------------------------------------------------------------------------

  /** A card for what has no id yet, where the comment will stand. @param {string} key @param {Comment} comment @returns {Card} */
  addEntry(key, comment) {
    const card = new Card(comment, this.#desk);
    this.cards.set(key, card);
    const parent = this.#parentCard(comment);
    if (parent) parent.replies.append(card.element);
    else if (this.thread.sort === 'newest') this.#chunkBefore(this.feed.querySelector('article')).prepend(card.element);
    else this.#chunkAtEnd(this.thread.rest ? this.beyond : this.feed).append(card.element);
    this.refresh();
    return card;
  }

  /** The entry's card becomes the comment's. @param {string} key @param {Comment} comment */
  settleEntry(key, comment) {
    const card = this.cards.get(key);
    this.cards.delete(key);
    if (card && this.cards.has(comment.id)) card.element.remove();
    else if (card) {
      this.cards.set(comment.id, card);
      card.clearStage();
      card.update(comment);
    }
    this.show([comment.id]);
  }

  /** @param {string} key */
  removeEntry(key) {
    this.cards.get(key)?.element.remove();
    this.cards.delete(key);
    this.refresh();
  }

  // ---- places -------------------------------------------------------------------------------------------

  /** @param {string} id */
  #show(id) {
    const comment = this.thread.comments.get(id);
    if (!comment || !this.#hasPlace(id)) return;
    const card = this.cards.get(id) ?? new Card(comment, this.#desk);
    this.cards.set(id, card);
    const parent = this.#parentCard(comment);
    if (parent) this.#showReply(card, parent);
    else this.#showRoot(card);
  }

  /** The card that the comment stands under: below the third level that of an ancestor. @param {Comment} comment */
  #parentCard(comment) {
    const { parent_id } = comment;
    if (!parent_id) return undefined;
    const above = [parent_id, ...this.thread.ancestors(parent_id)];
    return this.cards.get(above[Math.max(0, above.length - this.#desk.depth)]);
  }

  /** @param {Card} card @param {Card} parent */
  #showReply({ element, comment }, parent) {
    let next = null;
    for (let one = parent.replies.lastElementChild; one; one = one.previousElementSibling) {
      if (one === element) continue;
      const other = this.#commentOf(one);
      if (other && !isBefore(comment, other)) break;
      next = one;
    }
    put(element, parent.replies, next);
  }

  /** @param {Card} card */
  #showRoot({ element, comment }) {
    const { roots, beyond } = this.thread;
    const index = roots.lastIndexOf(comment.id);
    const later = index < 0 ? beyond.slice(beyond.indexOf(comment.id) + 1) : roots.slice(index + 1);
    const next = later.find((id) => this.cards.has(id));
    const following = next && this.cards.get(next)?.element;
    if (following) {
      const chunk = this.#chunkBefore(following);
      return put(element, chunk, chunk === following.parentElement ? following : null);
    }
    const list = index < 0 ? this.beyond : this.feed;
    if (!list.contains(element)) this.#chunkAtEnd(list).append(element);
  }

  /** @param {Element | null} following */
  #chunkBefore(following) {
    const chunk = following?.parentElement;
    if (!chunk) return this.#chunkAtEnd(this.feed);
    if (chunk.childElementCount < 2 * CHUNK || following !== chunk.firstElementChild) return chunk;
    const fresh = h('div', { part: 'chunk' });
    chunk.before(fresh);
    return fresh;
  }

  /** @param {Element} list */
  #chunkAtEnd(list) {
    const last = list.lastElementChild;
    if (last && last.childElementCount < CHUNK) return last;
    last?.classList.add('full');
    return list.appendChild(h('div', { part: 'chunk' }));
  }

  /** @param {Element} element */
  #commentOf(element) {
    return this.thread.comments.get(element.id.slice('comment-'.length));
  }

  #number() {
    const articles = this.feed.querySelectorAll(':scope > .chunk > article');
    const size = this.thread.rest ? -1 : articles.length;
    articles.forEach((article, index) => {
      setAttribute(article, 'aria-posinset', index + 1);
      setAttribute(article, 'aria-setsize', size);
    });
    if (!this.element.querySelector('article[tabindex="0"]')) articles[0]?.setAttribute('tabindex', '0');
  }

  #refreshRests() {
    for (const [id, element] of this.#rests) {
      if (this.thread.rests.has(id)) continue;
      element.remove();
      this.#rests.delete(id);
    }
    for (const id of this.thread.rests.keys()) {
      const card = this.cards.get(id);
      if (!card || this.#rests.has(id)) continue;
      const more = button(this.#desk.say('more_replies'), 'more', () => this.#loadMore(id));
      card.replies.after(more);
      this.#rests.set(id, more);
    }
  }

  // ---- keys of the feed pattern -------------------------------------------------------------------------

  /** Page Down and Page Up go from comment to comment. @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    const article = target.closest('article');
    if (!step || !article || target.matches('textarea, input')) return;
    const articles = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll('article:not([hidden])')]);
    const next = articles[articles.indexOf(article) + step];
    if (!next) return;
    event.preventDefault();
    this.focus(next);
  }

  /** The list costs one Tab stop: the comment that was last focused. @param {HTMLElement} article @param {boolean} [preventScroll] */
  focus(article, preventScroll) {
    this.element.querySelector('article[tabindex="0"]')?.setAttribute('tabindex', '-1');
    setAttribute(article, 'tabindex', 0);
    article.focus({ preventScroll });
  }
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
