/**
 * What a card needs to know, and whom it asks to do something.
 *
 * @import { Session } from '../session.js'
 * @import { Comment } from '../live/wire.js'
 *
 * @typedef {'reply' | 'edit' | 'remove' | 'more' | 'up' | 'down'} Command
 */
import { itemName } from '../page/names.js';

export class CardContext {
  #session;
  /** What cards are copied from. @type {HTMLElement | undefined} */
  blank;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
    const { place } = session.settings;
    /** Where comments on their way are kept. */
    this.queueItem = itemName('outbox', place, place.key);
  }

  get t() {
    return this.#session.t;
  }

  /** @param {string} iso */
  time(iso) {
    return this.#session.clock.formatTime(iso, this.#session.now());
  }

  /** @param {string} iso */
  title(iso) {
    return this.#session.clock.title(iso);
  }

  /** How many levels have replies of their own; below, they stand flat. */
  get depth() {
    return Math.max(1, this.#indented);
  }

  get #indented() {
    return Math.min(this.#session.settings.depth, this.#session.thread.limits.depth);
  }

  get canVote() {
    return this.#session.api.token !== null;
  }

  get canReply() {
    return this.#session.thread.discussion.mode !== 'closed';
  }

  /** @param {Comment} comment */
  isOwn({ author, body }) {
    return body !== null && author !== null && author.id === this.#session.thread.viewer?.id;
  }

  /** @param {Comment} comment */
  canEdit(comment) {
    const age = this.#session.now() - Date.parse(comment.created_at);
    return this.isOwn(comment) && age < this.#session.thread.limits.edit_seconds * 1000;
  }

  /** One's own: 1, 0 or -1. @param {string} id */
  vote(id) {
    return this.#session.thread.votes[id] ?? 0;
  }

  /** Whom a reply is to, where the indentation does not say it. @param {Comment} comment @returns {string | undefined} */
  answers({ id, parent_id }) {
    const { thread } = this.#session;
    if (!parent_id || thread.ancestors(id).length <= this.#indented) return undefined;
    return thread.comments.get(parent_id)?.author?.name;
  }

  /** @param {Command} command @param {string} id */
  dispatch(command, id) {
    this.#session.loadActions().then((actions) => actions.dispatch(command, id), () => {});
  }
}
