/**
 * Deletes one's own comment, after a while in which it can be undone: a deletion is for good.
 *
 *     remove ──▶ pending ── 8 s, or the page is left ──▶ request ── answered, refused ──▶ gone
 *                  ├─ undo ──▶ as it was                    └─ no network, 429, 5xx ──▶ pending, and later again
 *
 * It is kept in the storage until it is answered or undone, since no page is left to hear the answer to a request that
 * outlives it.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { ApiError } from '../../live/api.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 */
import * as commands from '../commands.js';
import { Backoff } from '../../live/backoff.js';
import { applyAnswer } from '../../live/thread.js';
import { button } from '../../page/dom.js';
import { itemName } from '../../page/names.js';
import { StoredNumbers } from './storedNumbers.js';
import { begin, wasEnded } from '../posting/begun.js';
import { clearStatus, showStatus } from '../posting/commentStatus.js';
import { isPassing } from '../posting/postQueue.js';

const UNDO_MS = 8000;
/** Another page, or the request of one that was left, was first. */
const DONE = [404, 410];

export class Deletion {
  #context;
  #announcer;
  #stored;
  #backoff = new Backoff(Math.random, { base: 1000, longest: 60_000 });
  /** The timers of comments that are to be deleted. @type {Map<string, ReturnType<typeof setTimeout>>} */
  #pending = new Map();
  /** Those that were asked for on this page. @type {Set<string>} */
  #own = new Set();

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
    const { settings: { place }, storage } = context;
    this.#stored = new StoredNumbers(storage, itemName('deletions', place, place.key));
  }

  start() {
    const { signal } = this.#context;
    addEventListener('pagehide', () => this.stop(), { signal });
    signal.addEventListener('abort', () => this.#pending.forEach(clearTimeout));
    for (const [id, due] of Object.entries(this.#stored.all)) this.#wait(id, due - Date.now());
  }

  /** What waits is deleted at once, but for what another page still lets be undone. */
  stop() {
    for (const id of [...this.#pending.keys()]) if (this.#own.has(id)) this.#commit(id);
  }

  listReplaced() {
    for (const id of this.#pending.keys()) this.#offerUndo(id);
  }

  /** @param {Card} card */
  remove({ comment: { id } }) {
    this.#own.add(id);
    begin(this.#context.storage, id);
    this.#stored.set(id, Date.now() + UNDO_MS);
    this.#announcer.announce(this.#context.t('deleting'));
    this.#wait(id, UNDO_MS)?.focus();
  }

  /** @param {string} id @param {number} ms @returns {HTMLElement | undefined} The button that undoes it. */
  #wait(id, ms) {
    this.#pending.set(id, setTimeout(() => this.#commit(id), ms));
    return this.#offerUndo(id);
  }

  /** The list may have been made anew since. @param {string} id */
  #card(id) {
    return this.#context.list.cards.get(id);
  }

  /** @param {string} id @returns {HTMLElement | undefined} The button. */
  #offerUndo(id) {
    const card = this.#card(id);
    if (!card) return undefined;
    const { t } = this.#context;
    const undo = button(t('undo'), 'action', () => {
      this.#stopTimer(id);
      this.#stored.set(id);
      this.#restore(id);
      this.#card(id)?.element.focus();
      this.#announcer.announce(t('kept'));
    });
    card.element.classList.add('waiting');
    showStatus(card, t('deleting'), [undo]);
    return undo;
  }

  /** @param {string} id */
  #stopTimer(id) {
    clearTimeout(this.#pending.get(id));
    this.#pending.delete(id);
  }

  /** @param {string} id */
  #restore(id) {
    const card = this.#card(id);
    if (!card) return;
    clearStatus(card);
    card.update(card.comment);
  }

  /** The request outlives the page. @param {string} id */
  async #commit(id) {
    this.#stopTimer(id);
    // another page has undone it, or had it deleted
    if (!(id in this.#stored.all) && wasEnded(this.#context.storage, id)) return this.#restore(id);
    try {
      const { comment, seq } = await commands.remove(commands.lasting(this.#context.api), id);
      this.#backoff.reset();
      this.#stored.set(id);
      this.#deleted(id, () => applyAnswer(this.#context.thread, id, comment, seq));
    } catch (error) {
      this.#failed(id, /** @type {ApiError} */ (error));
    }
  }

  /** @param {string} id @param {() => void} apply */
  #deleted(id, apply) {
    const { status } = this.#card(id) ?? {};
    const hadFocus = status?.contains(/** @type {ShadowRoot} */ (status.getRootNode()).activeElement);
    this.#restore(id);
    apply();
    this.#context.list.update(id);
    if (hadFocus) this.#card(id)?.element.focus();
    this.#announcer.announce(this.#context.t('deleted_now'));
  }

  /** @param {string} id @param {ApiError} error */
  #failed(id, error) {
    if (isPassing(error)) {
      const wait = Math.max(this.#backoff.next(), (error.retryAfter ?? 0) * 1000);
      if (!this.#context.signal.aborted) this.#wait(id, wait);
      return;
    }
    this.#stored.set(id);
    this.#restore(id);
    if (!DONE.includes(error.status)) this.#announcer.error(error);
  }
}
