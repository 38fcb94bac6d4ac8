/**
 * Deletes one's own comment, after a while in which it can be undone: a deletion itself is for good.
 *
 * @import { Card } from '../reading/card.js'
 * @import { Actions } from './actions.js'
 */
import * as commands from './commands.js';
import { button, h } from '../page/dom.js';

const UNDO_MS = 8000;

export class Removing {
  #actions;
  /** By comment, how to delete it now. @type {Map<string, () => void>} */
  #pending = new Map();

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    addEventListener('pagehide', () => this.close(), { signal: actions.session.signal });
  }

  /** What waits is deleted at once. */
  close() {
    for (const commit of [...this.#pending.values()]) commit();
  }

  /** @param {Card} card */
  remove(card) {
    const { id } = card.comment;
    const { say } = this.#actions;
    const timer = setTimeout(() => this.#pending.get(id)?.(), UNDO_MS);
    const settle = () => {
      clearTimeout(timer);
      this.#pending.delete(id);
    };
    this.#pending.set(id, () => {
      settle();
      this.#commit(card);
    });
    const undo = button(say('undo'), 'action', () => {
      settle();
      card.clearStage();
      card.update(card.comment);
      card.element.focus();
    });
    card.element.classList.add('waiting');
    card.stage.replaceChildren(h('p', {}, say('deleted_now')), h('div', { class: 'actions' }, undo));
    card.stage.hidden = false;
    card.update(card.comment);
    this.#actions.announce(say('deleted_now'));
    undo.focus();
  }

  /** The request outlives the page. @param {Card} card */
  async #commit(card) {
    const { session } = this.#actions;
    const { id } = card.comment;
    const hadFocus = card.stage.contains(/** @type {ShadowRoot} */ (card.element.getRootNode()).activeElement);
    try {
      const { comment, seq } = await commands.remove(session.api.lasting(), id);
      card.clearStage();
      this.#actions.settle(id, comment, seq);
    } catch (error) {
      card.clearStage();
      card.update(card.comment);
      this.#actions.complain(error);
    }
    if (hadFocus) card.element.focus();
  }
}
