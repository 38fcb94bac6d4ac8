/**
 * One comment on the page: made once, then changed in place, so that focus and selection stay where they are.
 *
 * @import { Comment } from './wire.js'
 * @import { Entry, Stage } from './outbox.js'
 *
 * @typedef {object} Desk What a card needs to know and may ask for.
 * @property {import('./strings.js').Speak} say
 * @property {import('./time.js').Clock} clock
 * @property {() => number} now By the server's clock.
 * @property {() => boolean} canVote
 * @property {() => boolean} canReply
 * @property {(comment: Comment) => boolean} isOwn
 * @property {(comment: Comment) => boolean} canEdit
 * @property {(id: string) => number} vote One's own: 1, 0 or -1.
 * @property {(comment: Comment) => string | undefined} answers The name of whom a flattened reply is to.
 * @property {(act: 'reply' | 'edit' | 'remove' | 'link' | 'up' | 'down', id: string) => void} act
 * @property {(act: 'retry' | 'edit' | 'discard', entry: Entry) => void} actEntry
 */
import { button, h, setAttribute, setText } from './dom.js';
import { render } from './document.js';

const MAY_DELETE_MS = 5000;
const REFUSED = /** @type {const} */ (['edit', 'discard']);
const WAITING = /** @type {const} */ (['retry', 'discard']);

export class Card {
  /** @type {Comment} */
  comment;
  /** @type {Node[] | null | undefined} */
  #shown;
  #desk;
  #author = h('bdi', { part: 'author' });
  #badge = h('span', { part: 'badge' });
  #time = h('time');
  #meta = h('a', { part: 'meta' }, this.#time);
  #edited = h('span', { class: 'note' });
  #pinned = h('span', { class: 'note' });
  #answers = h('p', { class: 'answers' });
  #body = h('div', { part: 'body' });
  #stage = h('p', { class: 'stage' });
  #stageActions = h('div', { class: 'actions' });
  actions = h('div', { part: 'actions' });
  replies = h('div', { class: 'replies' });
  /** Where a reply or an edit is written. */
  form = h('div');

  /** @param {Comment} comment @param {Desk} desk */
  constructor(comment, desk) {
    this.comment = comment;
    this.#desk = desk;
    const { say } = desk;
    /** @param {Parameters<Desk['act']>[0]} what @param {string} text @param {object} [properties] */
    const make = (what, text, properties) => button(text, 'action', () => desk.act(what, this.comment.id), properties);
    this.up = make('up', '', { class: 'up', title: say('voteUp') });
    this.down = make('down', '', { class: 'down', title: say('voteDown') });
    this.reply = make('reply', say('reply'));
    this.link = make('link', say('link'));
    this.edit = make('edit', say('edit'));
    this.remove = button(say('delete'), 'action', () => this.#removeWhenSure());
    this.element = this.#build();
    this.update(comment);
  }

  #build() {
    const votes = h('span', { class: 'votes' }, this.up, this.down);
    this.actions.append(votes, this.reply, this.link, this.edit, this.remove);
    this.#stage.hidden = this.#stageActions.hidden = true;
    const header = h('header', { part: 'header' }, this.#author, this.#badge, this.#meta, this.#edited, this.#pinned);
    const below = [this.#answers, this.#body, this.#stage, this.#stageActions, this.actions, this.form];
    const box = h('div', { class: 'box' }, header, ...below);
    return h('article', { part: 'comment', tabindex: -1 }, box, this.replies);
  }

  get isEntry() {
    return !this.#stage.hidden;
  }

  /** @param {Comment} comment */
  update(comment) {
    this.comment = comment;
    this.#name();
    this.#header();
    if (this.#shown !== /** @type {any} */ (comment.body)) this.#content();
    this.#refreshActions();
  }

  /** Writes the time again. */
  tick() {
    setText(this.#time, this.#desk.clock.text(this.comment.created_at, this.#desk.now()));
    this.edit.hidden = !this.#desk.canEdit(this.comment) || this.isEntry;
  }

  /** @param {Stage} stage @param {Entry} entry */
  setStage(stage, entry) {
    const { say } = this.#desk;
    const isFailed = stage === 'failed';
    this.element.classList.toggle('failed', isFailed);
    this.element.classList.toggle('waiting', !isFailed);
    setAttribute(this.element, 'aria-busy', stage === 'sending' ? 'true' : undefined);
    setText(this.#stage, isFailed ? `${say('failed')} ${entry.detail ?? ''}` : say(stage === 'sending' ? 'sending' : 'queued'));
    this.#stage.hidden = false;
    this.actions.hidden = true;
    const acts = isFailed ? REFUSED : stage === 'queued' ? WAITING : [];
    this.#stageActions.replaceChildren(...acts.map((act) => button(say(act), 'action', () => this.#desk.actEntry(act, entry))));
    this.#stageActions.hidden = acts.length === 0;
  }

  /** The entry has become a comment. @param {Comment} comment */
  settle(comment) {
    this.element.classList.remove('failed', 'waiting');
    this.element.removeAttribute('aria-busy');
    this.#stage.hidden = this.#stageActions.hidden = true;
    this.update(comment);
  }

  #name() {
    const { id } = this.comment;
    if (this.element.id === `comment-${id}`) return;
    this.element.id = `comment-${id}`;
    this.#author.id = `by-${id}`;
    this.#meta.id = `at-${id}`;
    this.#body.id = `text-${id}`;
    setAttribute(this.#meta, 'href', `#comment-${id}`);
    setAttribute(this.element, 'aria-labelledby', `by-${id} at-${id}`);
    setAttribute(this.element, 'aria-describedby', `text-${id}`);
  }

  #header() {
    const { author, created_at, edited_at, pinned, state } = this.comment;
    const { say, clock } = this.#desk;
    setText(this.#author, author?.name ?? '');
    this.#author.hidden = !author;
    setText(this.#badge, state === 'held' ? say('held') : say('moderator'));
    this.#badge.hidden = state !== 'held' && !author?.badge;
    setText(this.#edited, say('edited'));
    setText(this.#pinned, say('pinned'));
    this.#edited.hidden = !edited_at || !author;
    this.#pinned.hidden = !pinned;
    setAttribute(this.#time, 'datetime', created_at);
    setAttribute(this.#time, 'title', clock.title(created_at));
    this.tick();
  }

  #content() {
    const { body, state } = this.comment;
    const { say } = this.#desk;
    this.#shown = /** @type {any} */ (body);
    const tombstone = () => h('p', { class: 'tombstone' }, say(state === 'deleted' ? 'deleted' : 'removed'));
    this.#body.replaceChildren(...(body ? render(body) : [tombstone()]));
    const name = this.#desk.answers(this.comment);
    this.#answers.hidden = name === undefined;
    const [before, after] = say('inReplyTo', { name: '\n' }).split('\n');
    const link = h('a', { href: `#comment-${this.comment.parent_id}` }, h('bdi', {}, name ?? ''));
    this.#answers.replaceChildren(before, link, after);
  }

  // ---- actions ------------------------------------------------------------------------------------------

  #refreshActions() {
    const { comment } = this;
    const desk = this.#desk;
    this.actions.hidden = comment.body === null || this.isEntry;
    const isVisible = comment.state === 'visible';
    this.reply.hidden = !isVisible || !desk.canReply();
    setAttribute(this.reply, 'aria-label', desk.say('replyTo', { name: comment.author?.name ?? '' }));
    this.link.hidden = !isVisible;
    this.remove.hidden = !desk.isOwn(comment);
    const own = desk.vote(comment.id);
    const canVote = desk.canVote() && isVisible && !desk.isOwn(comment);
    this.#vote(this.up, 'voteUp', comment.votes.up, own === 1, canVote);
    this.#vote(this.down, 'voteDown', comment.votes.down, own === -1, canVote);
  }

  /** @param {HTMLButtonElement} element @param {'voteUp' | 'voteDown'} key @param {number} count @param {boolean} isOwn @param {boolean} canVote */
  #vote(element, key, count, isOwn, canVote) {
    setText(element, String(count));
    setAttribute(element, 'aria-label', `${this.#desk.say(key)}, ${count}`);
    setAttribute(element, 'aria-pressed', String(isOwn));
    element.disabled = !canVote;
  }

  /** The first press asks, the second within 5 s deletes. */
  #removeWhenSure() {
    const { remove } = this;
    if (remove.classList.contains('sure')) return this.#desk.act('remove', this.comment.id);
    const ask = (/** @type {boolean} */ isAsked) => {
      remove.classList.toggle('sure', isAsked);
      setText(remove, this.#desk.say(isAsked ? 'deleteSure' : 'delete'));
    };
    ask(true);
    setTimeout(() => ask(false), MAY_DELETE_MS);
  }
}
