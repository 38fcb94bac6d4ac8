/**
 * Deletes one's own comment, after a while in which it can be undone: a deletion itself is for good.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 */
import * as commands from '../commands.js';
import { clearStatus, showStatus } from '../posting/commentStatus.js';
import { applyAnswer } from '../../live/thread.js';
import { button } from '../../page/dom.js';

const UNDO_MS = 8000;

export class Deletion {
  #context;
  #announcer;
  /** The timers of comments that are to be deleted. @type {Map<string, ReturnType<typeof setTimeout>>} */
  #pending = new Map();

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
  }

  start() {
    addEventListener('pagehide', () => this.stop(), { signal: this.#context.signal });
  }

  /** What waits is deleted at once. */
  stop() {
    for (const id of [...this.#pending.keys()]) this.#commit(id);
  }

  listReplaced() {
    for (const id of this.#pending.keys()) this.#offerUndo(id);
  }

  /** @param {Card} card */
  remove({ comment: { id } }) {
    this.#pending.set(id, setTimeout(() => this.#commit(id), UNDO_MS));
    this.#announcer.announce(this.#context.t('deleted_now'));
    this.#offerUndo(id)?.focus();
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
      this.#restore(id);
      this.#card(id)?.element.focus();
    });
    card.element.classList.add('waiting');
    showStatus(card, t('deleted_now'), [undo]);
    return undo;
  }

  /** It waits no longer. @param {string} id */
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
    try {
      const { comment, seq } = await commands.remove(commands.lasting(this.#context.api), id);
      const { status } = this.#card(id) ?? {};
      const hadFocus = status?.contains(/** @type {ShadowRoot} */ (status.getRootNode()).activeElement);
      this.#restore(id);
      applyAnswer(this.#context.thread, id, comment, seq);
      this.#context.list.update(id);
      if (hadFocus) this.#card(id)?.element.focus();
    } catch (error) {
      this.#restore(id);
      this.#announcer.error(error);
    }
  }
}
