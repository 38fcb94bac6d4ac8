/**
 * One comment on the page: made once, then changed in place, so that focus and selection stay where they are.
 *
 * @import { Comment } from '../live/wire.js'
 * @import { Act, Desk } from './desk.js'
 */
import { button, h, setAttribute, setText } from '../page/dom.js';
import { render } from './document.js';

export class Card {
  /** @type {Comment} */
  comment;
  #shown = /** @type {Comment['body'] | undefined} */ (undefined);
  #desk;
  #author = h('bdi', { part: 'author' });
  #badge = h('span', { part: 'badge' });
  #time = h('time');
  #meta = h('a', { part: 'meta' }, this.#time);
  #edited = h('span', { class: 'note' });
  #answers = h('p', { class: 'answers' });
  #body = h('div', { part: 'body' });
  /** @type {HTMLElement[]} Only where the comment is one's own. */
  #own = [];
  actions = h('div', { part: 'actions' });
  replies = h('div', { class: 'replies' });
  /** What is said of the comment in place of its actions: that it is on its way, or about to be deleted. */
  stage = h('div', { class: 'stage', hidden: true });
  /** Where a reply, an edit or a report is written. */
  form = h('div');

  /** @param {Comment} comment @param {Desk} desk */
  constructor(comment, desk) {
    this.comment = comment;
    this.#desk = desk;
    const { say } = desk;
    this.up = this.#button('up', '', { class: 'up', title: say('vote_up') });
    this.down = this.#button('down', '', { class: 'down', title: say('vote_down') });
    this.reply = this.#button('reply', say('reply'));
    this.more = this.#button('more', say('more_actions'), { 'aria-expanded': 'false' });
    this.actions.append(h('span', { class: 'votes' }, this.up, this.down), this.reply, this.more);
    const header = h('header', { part: 'header' }, this.#author, this.#badge, this.#meta, this.#edited);
    const box = h('div', { class: 'box' }, header, this.#answers, this.#body, this.stage, this.actions, this.form);
    this.element = h('article', { part: 'comment', tabindex: -1 }, box, this.replies);
    this.update(comment);
  }

  /** @param {Act} what @param {string} text @param {object} [properties] */
  #button(what, text, properties) {
    return button(text, 'action', () => this.#desk.act(what, this.comment.id), properties);
  }

  /** @param {Comment} comment */
  update(comment) {
    this.comment = comment;
    this.#name();
    this.#header();
    if (this.#shown !== comment.body) this.#content();
    this.#refreshActions();
  }

  /** Writes the time again. */
  tick() {
    setText(this.#time, this.#desk.time(this.comment.created_at).text);
    if (this.#own[0]) this.#own[0].hidden = !this.#desk.canEdit(this.comment);
  }

  clearStage() {
    this.element.classList.remove('failed', 'waiting');
    this.element.removeAttribute('aria-busy');
    this.stage.hidden = true;
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
    const { say } = this.#desk;
    setText(this.#author, author?.name ?? '');
    this.#author.hidden = !author;
    setText(this.#badge, state === 'held' ? say('held') : say('moderator'));
    this.#badge.hidden = state !== 'held' && !author?.badge;
    const notes = [edited_at && author && say('edited'), pinned && say('pinned')].filter(Boolean);
    setText(this.#edited, notes.join(' · '));
    this.#edited.hidden = !notes.length;
    setAttribute(this.#time, 'datetime', created_at);
    setAttribute(this.#time, 'title', this.#desk.time(created_at).title);
    this.tick();
  }

  #content() {
    const { body, state } = this.comment;
    const { say } = this.#desk;
    this.#shown = body;
    const tombstone = () => h('p', { class: 'tombstone' }, say(state === 'deleted' ? 'deleted' : 'removed'));
    this.#body.replaceChildren(...(body ? render(body) : [tombstone()]));
    const name = this.#desk.answers(this.comment);
    this.#answers.hidden = name === undefined;
    if (name === undefined) return;
    const [before, after] = say('replying_to', { name: '\n' }).split('\n');
    const link = h('a', { href: `#comment-${this.comment.parent_id}` }, h('bdi', {}, name));
    this.#answers.replaceChildren(before, link, after);
  }

  // ---- actions ------------------------------------------------------------------------------------------

  #refreshActions() {
    const { comment } = this;
    const desk = this.#desk;
    this.actions.hidden = comment.body === null || !this.stage.hidden;
    const isVisible = comment.state === 'visible';
    const isOwn = desk.isOwn(comment);
    this.reply.hidden = !isVisible || !desk.canReply;
    setAttribute(this.reply, 'aria-label', desk.say('reply_to', { name: comment.author?.name ?? '' }));
    this.more.hidden = !isVisible;
    if (isOwn && !this.#own.length) this.#addOwn();
    for (const element of this.#own) element.hidden = !isOwn;
    this.tick();
    const own = desk.vote(comment.id);
    const canVote = desk.canVote && isVisible && !isOwn;
    this.#vote(this.up, 'vote_up', comment.votes.up, own === 1, canVote);
    this.#vote(this.down, 'vote_down', comment.votes.down, own === -1, canVote);
  }

  #addOwn() {
    const { say } = this.#desk;
    this.#own = [this.#button('edit', say('edit')), this.#button('remove', say('delete'))];
    this.more.before(...this.#own);
  }

  /** @param {HTMLButtonElement} element @param {'vote_up' | 'vote_down'} key @param {number} count @param {boolean} isOwn @param {boolean} canVote */
  #vote(element, key, count, isOwn, canVote) {
    setText(element, String(count));
    setAttribute(element, 'aria-label', `${this.#desk.say(key)}, ${count}`);
    setAttribute(element, 'aria-pressed', String(isOwn));
    element.disabled = !canVote;
  }
}
