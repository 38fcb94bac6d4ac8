/**
 * Comments on their way, as the page shows them.
 *
 * @import { ApiError } from '../../live/api.js'
 * @import { Comment, Posted } from '../../live/wire.js'
 * @import { PendingPost, Draft, PostState } from './postQueue.js'
 * @import { Card } from '../../reading/card.js'
 * @import { Actions } from '../actions.js'
 */
import * as commands from '../commands.js';
import { addPendingCard, removePendingCard, confirmPendingCard } from './pendingCards.js';
import { PostQueue } from './postQueue.js';
import { addOwn } from '../browse/threadPages.js';
import { showStatus } from './commentStatus.js';
import { browser } from '../../page/browser.js';
import { button, setAttribute } from '../../page/dom.js';
import { bringIntoView } from '../browse/scroll.js';

const REFUSED = /** @type {const} */ (['edit', 'discard']);
const WAITING = /** @type {const} */ (['send_now', 'discard']);

export class PostQueueView {
  #actions;
  /** Comments that may be one's own and whose answer has not come. @type {Set<string>} */
  #heldBack = new Set();
  /** Those whose delay was told. @type {WeakSet<PendingPost>} */
  #announced = new WeakSet();

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    const { session } = actions;
    const name = session.cardContext.queueItem;
    this.queue = new PostQueue({
      storage: session.storage,
      name,
      send: (post) => commands.post(commands.lasting(session.api), post, post.key),
      changed: (post, state, result) => this.#changed(post, state, result),
      // where the storage is blocked, so are locks
      alone: navigator.locks && ((work) => navigator.locks.request(name, work).catch(work)),
      platform: browser,
    });
    addEventListener('online', () => this.queue.flush(), { signal: session.signal });
  }

  start() {
    this.queue.start();
  }

  close() {
    this.queue.close();
  }

  /** @param {Draft} draft @returns {boolean} Whether the page let it be sent. */
  add(draft) {
    const { session } = this.#actions;
    if (!session.emit('post', { comment: draft }, true)) return false;
    this.queue.add(draft);
    return true;
  }

  /** Whether an arriving comment may be one that is on its way: then its answer decides. @param {Comment} comment */
  holdsBack({ id, author }) {
    const { viewer } = this.#actions.session.thread;
    const isMine = this.queue.pending.some((post) =>
      post.code === undefined && (viewer ? author?.id === viewer.id : author?.name === post.name));
    if (isMine) this.#heldBack.add(id);
    return isMine;
  }

  /** After the list was made anew. */
  showAll() {
    for (const post of this.queue.pending) this.#show(post, post.code === undefined ? 'queued' : 'failed');
  }

  /** @param {PendingPost} post @param {PostState} state @param {Posted | ApiError} [result] */
  #changed(post, state, result) {
    const { session } = this.#actions;
    if (state === 'done') this.#posted(post, /** @type {Posted} */ (result));
    else if (state === 'gone') removePendingCard(session.list, post.key);
    const error = result && 'status' in result ? result : undefined;
    if (state === 'sending' || state === 'queued' || state === 'failed') this.#show(post, state, error);
    if (error) this.#announce(post, state, error);
    if (state === 'done' || state === 'gone' || state === 'failed') this.#letGo();
  }

  /** @param {PendingPost} post @param {PostState} state @param {ApiError} error */
  #announce(post, state, error) {
    this.#actions.session.emit('post-error', { status: error.status, code: error.code });
    const isLate = state === 'queued';
    if (isLate && this.#announced.has(post)) return;
    this.#announced.add(post);
    this.#actions.announce(this.#sentence(isLate ? state : 'failed', post, error));
  }

  /** @param {PendingPost} post @param {'sending' | 'queued' | 'failed'} state @param {ApiError} [error] */
  #show(post, state, error) {
    const { list, thread } = this.#actions.session;
    const isNew = !list.cards.has(post.key);
    const card = list.cards.get(post.key) ?? addPendingCard(list, asComment(post, thread.viewer?.id ?? ''));
    this.#setState(card, state, post, error);
    if (isNew && state === 'sending') bringIntoView(card.element, 'nearest');
  }

  /** @param {Card} card @param {'sending' | 'queued' | 'failed'} state @param {PendingPost} post @param {ApiError} [error] */
  #setState(card, state, post, error) {
    const { t } = this.#actions;
    const isFailed = state === 'failed';
    card.element.classList.toggle('failed', isFailed);
    card.element.classList.toggle('waiting', !isFailed);
    setAttribute(card.element, 'aria-busy', state === 'sending' ? 'true' : undefined);
    const acts = isFailed ? REFUSED : state === 'queued' ? WAITING : [];
    const buttons = acts.map((act) => button(t(act), 'action', () => this.#run(act, post)));
    showStatus(card, this.#sentence(state, post, error), buttons);
  }

  /** @param {'sending' | 'queued' | 'failed'} state @param {PendingPost} post @param {ApiError} [error] */
  #sentence(state, post, error) {
    const { t } = this.#actions;
    if (state === 'failed') return `${t('failed')} ${post.code === 'closed' ? t('closed') : (post.detail ?? '')}`;
    if (state === 'queued' && error?.status === 429) return t('slow_down', { n: Math.ceil(error.retryAfter ?? 1) });
    return t(state);
  }

  /** @param {'edit' | 'discard' | 'send_now'} what @param {PendingPost} post */
  #run(what, post) {
    if (what === 'send_now') this.queue.flush();
    else this.queue.discard(post.key);
    if (what !== 'send_now') this.#actions.forms.takeBack(post, what === 'edit');
  }

  /** @param {PendingPost} post @param {Posted} posted */
  #posted(post, { comment }) {
    const { session, t } = this.#actions;
    const { thread, list } = session;
    const { author } = comment;
    const isKnown = author === null || thread.viewer?.id === author.id;
    if (author && thread.viewer?.id !== author.id) thread.viewer = { ...author, moderator: false };
    addOwn(thread, comment);
    this.#heldBack.delete(comment.id);
    this.#actions.arrivals.drop(comment.id);
    confirmPendingCard(list, post.key, thread.comments.get(comment.id) ?? comment);
    if (!isKnown) list.updateAll();
    this.#actions.announce(t(comment.state === 'held' ? 'posted_held' : 'posted'));
    session.emit('posted', { comment });
  }

  #letGo() {
    const { session } = this.#actions;
    for (const id of this.#heldBack) {
      const comment = session.thread.comments.get(id);
      if (comment && this.holdsBack(comment)) continue;
      this.#heldBack.delete(id);
      if (comment && !session.list.cards.has(id)) this.#actions.arrivals.add(id);
    }
    this.#actions.arrivals.count();
  }
}

/** A comment that is on its way, as a card shows it. @param {PendingPost} post @param {string} author @returns {Comment} */
function asComment({ key, body, name, parent_id, made_at }, author) {
  const paragraphs = body.split(/\n{2,}/).map((text) => ({
    type: 'paragraph',
    children: text.split('\n').flatMap((line, index) => [...(index ? [{ type: 'break' }] : []), { type: 'text', text: line }]),
  }));
  return {
    id: key, parent_id, author: { id: author, name, badge: null }, body: paragraphs, created_at: made_at,
    edited_at: null, state: 'visible', votes: { up: 0, down: 0 }, reply_count: 0, pinned: false,
  };
}
