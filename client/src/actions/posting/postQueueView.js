/**
 * Comments on their way, as the page shows them.
 *
 * @import { ApiError } from '../../live/api.js'
 * @import { Comment, Posted } from '../../live/wire.js'
 * @import { Draft, Forms } from '../compose/forms.js'
 * @import { PendingPost, PostState } from './postQueue.js'
 * @import { Card } from '../../reading/card.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Arrivals } from '../browse/arrivals.js'
 * @import { Context } from '../context.js'
 */
import * as commands from '../commands.js';
import { forgetKey, guestKey } from '../guest.js';
import { addPendingCard, removePendingCard, confirmPendingCard } from './pendingCards.js';
import { PostQueue } from './postQueue.js';
import { addOwn, signIn } from '../../live/thread.js';
import { showStatus } from './commentStatus.js';
import { browser } from '../../page/browser.js';
import { button, setAttribute } from '../../page/dom.js';
import { itemName } from '../../page/names.js';
import { bringIntoView } from '../browse/scroll.js';

const REFUSED = /** @type {const} */ (['edit', 'discard']);
const WAITING = /** @type {const} */ (['send_now', 'discard']);
const LOCK_MS = 5000;

export class PostQueueView {
  #context;
  #others;
  #queue;
  /** Comments that may be one's own and whose answer has not come. @type {Set<string>} */
  #heldBack = new Set();
  /** Those whose delay was announced. @type {WeakSet<PendingPost>} */
  #announced = new WeakSet();

  /** @param {Context} context @param {{announcer: Announcer, arrivals: Arrivals, forms: Forms}} others */
  constructor(context, others) {
    this.#context = context;
    this.#others = others;
    const { api, storage } = context;
    const name = itemName('outbox', api.place, api.place.key);
    this.#queue = new PostQueue({
      storage,
      name,
      send: (post) => commands.post(commands.lasting(api), post, post.key),
      changed: (post, state, result) => this.#changed(post, state, result),
      makeKey: () => guestKey(api, true),
      alone: (work) => alone(name, work),
      platform: browser,
    });
    others.forms.send = (draft) => this.#add(draft);
    others.arrivals.isHeldBack = (comment) => this.#holdsBack(comment);
  }

  start() {
    addEventListener('online', () => this.#queue.flush(), { signal: this.#context.signal });
    this.#queue.start();
  }

  stop() {
    this.#queue.close();
  }

  listReplaced() {
    for (const post of this.#queue.pending) this.#show(post, post.code === undefined ? 'queued' : 'failed');
  }

  /** @param {Draft} draft @returns {boolean} Whether the page let it be sent. */
  #add(draft) {
    if (!this.#context.emit('post', { comment: draft }, true)) return false;
    this.#queue.add(draft);
    // its form closes
    const { list } = this.#context;
    const card = draft.parent_id && list.cards.get(this.#queue.pending.at(-1)?.key ?? '');
    if (card) list.focus(card.element, true);
    return true;
  }

  /** Whether an arriving comment may be one that is on its way: then its answer decides. @param {Comment} comment */
  #holdsBack(comment) {
    const { id, author } = comment;
    const { cards, thread: { viewer } } = this.#context;
    const isMine = this.#queue.pending.some((post) =>
      post.code === undefined && (viewer ? cards.isOwn(comment) : author?.name === post.name));
    if (isMine) this.#heldBack.add(id);
    return isMine;
  }

  /** @param {PendingPost} post @param {PostState} state @param {Posted | ApiError} [result] */
  #changed(post, state, result) {
    if (state === 'done') this.#posted(post, /** @type {Posted} */ (result));
    else if (state === 'gone') this.#gone(post);
    const error = result && 'status' in result ? result : undefined;
    if (state === 'sending' || state === 'queued' || state === 'failed') this.#show(post, state, error);
    if (error) this.#announce(post, state, error);
    if (state === 'done' || state === 'gone' || state === 'failed') this.#letGo();
  }

  /** @param {PendingPost} post @param {PostState} state @param {ApiError} error */
  #announce(post, state, error) {
    this.#context.emit('post-error', { status: error.status, code: error.code });
    const isLate = state === 'queued';
    if (isLate && this.#announced.has(post)) return;
    this.#announced.add(post);
    this.#others.announcer.announce(this.#sentence(isLate ? state : 'failed', post, error));
  }

  /** @param {PendingPost} post @param {'sending' | 'queued' | 'failed'} state @param {ApiError} [error] */
  #show(post, state, error) {
    const { list, thread } = this.#context;
    const isNew = !list.cards.has(post.key);
    const card = list.cards.get(post.key) ?? addPendingCard(list, asComment(post, thread.viewer?.id ?? ''));
    this.#setState(card, state, post, error);
    if (isNew && state === 'sending') bringIntoView(card.element, 'nearest');
  }

  /** @param {Card} card @param {'sending' | 'queued' | 'failed'} state @param {PendingPost} post @param {ApiError} [error] */
  #setState(card, state, post, error) {
    const { t } = this.#context;
    const isFailed = state === 'failed';
    card.element.classList.toggle('failed', isFailed);
    card.element.classList.toggle('waiting', !isFailed);
    setAttribute(card.element, 'aria-busy', state === 'sending' ? 'true' : undefined);
    const choices = isFailed ? REFUSED : state === 'queued' ? WAITING : [];
    const buttons = choices.map((choice) => button(t(choice), 'action', () => this.#run(choice, post)));
    showStatus(card, this.#sentence(state, post, error), buttons);
  }

  /** @param {'sending' | 'queued' | 'failed'} state @param {PendingPost} post @param {ApiError} [error] */
  #sentence(state, post, error) {
    const { t } = this.#context;
    if (state === 'failed') return `${t('failed')} ${post.code === 'closed' ? t('closed') : (post.detail ?? '')}`;
    if (state === 'queued' && error?.status === 429) return t('slow_down', { n: Math.ceil(error.retryAfter ?? 1) });
    return t(state);
  }

  /** @param {'edit' | 'discard' | 'send_now'} choice @param {PendingPost} post */
  #run(choice, post) {
    if (choice === 'send_now') this.#queue.flush();
    else this.#queue.discard(post.key);
    if (choice !== 'send_now') this.#others.forms.takeBack(post, choice === 'edit');
  }

  /** @param {PendingPost} post @param {Posted} posted */
  #posted(post, { comment }) {
    const { thread, list, cards, t } = this.#context;
    const { author } = comment;
    const isKnown = author === null || cards.isOwn(comment);
    if (author && !isKnown) signIn(thread, { ...author, moderator: false });
    addOwn(thread, comment);
    this.#heldBack.delete(comment.id);
    this.#others.arrivals.drop(comment.id);
    confirmPendingCard(list, post.key, thread.comments.get(comment.id) ?? comment);
    if (!isKnown) list.updateAll();
    this.#others.announcer.announce(t(comment.state === 'held' ? 'posted_held' : 'posted'));
    this.#context.emit('posted', { comment });
  }

  /** Its key is not used again, since the server may have it. @param {PendingPost} post */
  #gone({ key }) {
    forgetKey(this.#context.api, key);
    removePendingCard(this.#context.list, key);
  }

  #letGo() {
    const { thread, list } = this.#context;
    for (const id of this.#heldBack) {
      const comment = thread.comments.get(id);
      if (comment && this.#holdsBack(comment)) continue;
      this.#heldBack.delete(id);
      if (comment && !list.cards.has(id)) this.#others.arrivals.add(id);
    }
    this.#others.arrivals.changed([]);
  }
}

/**
 * Runs work while no other window does, as far as that can be had: where the storage is blocked, so are locks, and a window
 * that is frozen keeps its lock. Two that send one post say it once.
 *
 * @param {string} name @param {() => Promise<void>} work
 */
async function alone(name, work) {
  try {
    await navigator.locks.request(name, { signal: AbortSignal.timeout(LOCK_MS) }, work);
  } catch {
    await work();
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
