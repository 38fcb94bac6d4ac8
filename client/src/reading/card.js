/**
 * One comment on the page: made once, then changed in place, so that focus and selection stay where they are. What few
 * comments have is made when it is needed: ten thousand of them should appear within half a second.
 *
 * @import { Comment } from '../live/wire.js'
 * @import { Thread } from '../live/thread.js'
 * @import { Translate } from '../page/strings.js'
 *
 * @typedef {'reply' | 'edit' | 'remove' | 'more' | 'up' | 'down'} Command What the buttons of a card ask for.
 *
 * @typedef {object} CardContext What a card has to know, and whom it asks to do something.
 * @property {Translate} t
 * @property {HTMLElement} [blank] What cards are copied from.
 * @property {(iso: string) => string} time
 * @property {(iso: string) => string} title
 * @property {number} depth How many levels have replies of their own; below, they stand flat.
 * @property {boolean} canReply
 * @property {(thread: Thread) => string} more What a press on the button below the list does.
 * @property {(comment: Comment) => boolean} isOwn
 * @property {(comment: Comment) => boolean} canEdit
 * @property {(id: string) => number} vote One's own: 1, 0 or -1.
 * @property {(comment: Comment) => string | undefined} repliesTo Whom a reply is to, where the indentation does not say it.
 * @property {(command: string, id: string | null) => void} dispatch
 */
import { button, h, setAttribute, setText } from '../page/dom.js';
import { elementId, linkTo } from '../page/names.js';
import { render } from './document.js';

export class Card {
  /** @type {Comment} */
  comment;
  #shown = /** @type {Comment['body'] | undefined} */ (undefined);
  #label = '';
  #context;
  #box;
  #header;
  #author;
  #meta;
  #time;
  #body;
  #up;
  #down;
  /** Parts that few have, by name. @type {Record<string, HTMLElement>} */
  #rare = {};

  /** @param {Comment} comment @param {CardContext} context */
  constructor(comment, context) {
    this.comment = comment;
    this.#context = context;
    context.blank ??= blank(context.t);
    this.element = /** @type {HTMLElement} */ (context.blank.cloneNode(true));
    this.#box = first(this.element);
    this.#header = first(this.#box);
    this.#author = first(this.#header);
    this.#meta = next(this.#author);
    this.#time = first(this.#meta);
    this.#body = next(this.#header);
    this.actions = next(this.#body);
    this.reply = first(this.actions);
    this.more = next(this.reply);
    this.#up = first(next(this.more));
    this.#down = next(this.#up);
    this.update(comment);
  }

  // ---- what few have ------------------------------------------------------------------------------------

  /** @template {HTMLElement} E @param {string} name @param {(element: E) => void} put @param {() => E} make @returns {E} */
  #make(name, put, make) {
    if (!this.#rare[name]) put(/** @type {E} */ (this.#rare[name] = make()));
    return /** @type {E} */ (this.#rare[name]);
  }

  get replies() {
    return this.#make('replies', (element) => this.element.append(element), () => h('div', { class: 'replies' }));
  }

  /** What stands in place of the actions: that the comment is on its way, or about to be deleted. */
  get status() {
    return this.#make('stage', (element) => this.actions.before(element), () => h('div', { class: 'stage', hidden: true }));
  }

  /** Where a reply, an edit or a report is written. */
  get form() {
    return this.#make('form', (element) => this.#box.append(element), () => h('div'));
  }

  // ---- the comment --------------------------------------------------------------------------------------

  /** @param {Comment} comment */
  update(comment) {
    this.comment = comment;
    this.#name();
    this.#head();
    if (this.#shown !== comment.body) this.#content();
    this.#refreshActions();
    this.tick();
  }

  /** Writes the time again, also into what the comment is called. */
  tick() {
    const { author, created_at } = this.comment;
    const time = this.#context.time(created_at);
    const label = author ? `${author.name}, ${time}` : time;
    if (label !== this.#label) {
      this.#label = this.element.ariaLabel = label;
      this.#time.textContent = time;
    }
    if (this.#rare.edit) this.#rare.edit.hidden = !this.#context.canEdit(this.comment);
  }

  #name() {
    const { id } = this.comment;
    if (this.element.id === elementId(id)) return;
    this.element.id = elementId(id);
    this.#body.id = `text-${id}`;
    setAttribute(this.#meta, 'href', linkTo(id));
    setAttribute(this.element, 'aria-describedby', `text-${id}`);
  }

  #head() {
    const { author, created_at, edited_at, pinned, state } = this.comment;
    const { t } = this.#context;
    setText(this.#author, author?.name ?? '');
    if (!author) this.#author.hidden = true;
    this.#showText('badge', state === 'held' ? t('held') : author?.badge ? t(/** @type {any} */ (author.badge)) : '', (element) => this.#author.after(element));
    const notes = [edited_at && author && t('edited'), pinned && t('pinned')].filter(Boolean);
    this.#showText('note', notes.join(' · '), (element) => this.#header.append(element));
    setAttribute(this.#time, 'datetime', created_at);
    setAttribute(this.#time, 'title', this.#context.title(created_at));
  }

  /** @param {string} part @param {string} text @param {(element: HTMLElement) => void} put */
  #showText(part, text, put) {
    if (!text && !this.#rare[part]) return;
    const element = this.#make(part, put, () => h('span', { part }));
    setText(element, text);
    element.hidden = !text;
  }

  #content() {
    const { body, state } = this.comment;
    const { t } = this.#context;
    this.#shown = body;
    const tombstone = () => h('p', { class: 'tombstone' }, t(/** @type {'removed' | 'deleted'} */ (state)));
    this.#body.replaceChildren(...(body ? render(body) : [tombstone()]));
    const name = this.#context.repliesTo(this.comment);
    if (name === undefined) return;
    const [before, after] = t('replying_to', { name: '\n' }).split('\n');
    const link = h('a', { href: linkTo(this.comment.parent_id ?? '') }, h('bdi', {}, name));
    this.#make('answers', (element) => this.#body.before(element), () => h('p', { class: 'answers' })).replaceChildren(before, link, after);
  }

  // ---- actions ------------------------------------------------------------------------------------------

  #refreshActions() {
    const { comment } = this;
    const context = this.#context;
    this.actions.hidden = comment.body === null || this.#rare.stage?.hidden === false;
    const isVisible = comment.state === 'visible';
    const isOwn = context.isOwn(comment);
    this.reply.hidden = !isVisible || !context.canReply;
    this.reply.ariaLabel = context.t('reply_to', { name: comment.author?.name ?? '' });
    this.more.ariaLabel = context.t('more_actions_for', { name: comment.author?.name ?? '' });
    this.more.hidden = !isVisible;
    if (isOwn || this.#rare.edit) this.#refreshOwn(isOwn);
    const vote = context.vote(comment.id);
    this.#vote(this.#up, 'vote_up', comment.votes.up, vote === 1);
    this.#vote(this.#down, 'vote_down', comment.votes.down, vote === -1);
  }

  /** @param {boolean} isOwn */
  #refreshOwn(isOwn) {
    const { t } = this.#context;
    const put = (/** @type {HTMLElement} */ element) => this.more.before(element);
    this.#make('edit', put, () => actionButton('edit', t('edit'))).hidden = !isOwn;
    this.#make('remove', put, () => actionButton('remove', t('delete'))).hidden = !isOwn;
    // within reach, since a press says why
    this.#up.ariaDisabled = this.#down.ariaDisabled = String(isOwn);
  }

  /** Writes only what differs: most comments have no votes. @param {HTMLButtonElement} element @param {'vote_up' | 'vote_down'} key @param {number} count @param {boolean} isPressed */
  #vote(element, key, count, isPressed) {
    const label = `${this.#context.t(key)}, ${count}`;
    element.ariaLabel = label;
    element.ariaPressed = String(isPressed);
    setText(element, String(count));
  }
}

/** What all cards are copies of: copying is five times as fast as making. @param {Translate} t */
function blank(t) {
  const more = actionButton('more', t('more_actions'), { 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
  const header = h('header', { part: 'header' }, h('bdi', { part: 'author' }), h('a', { part: 'meta' }, h('time', { dir: 'auto' })));
  const actions = h('div', { part: 'actions' }, actionButton('reply', t('reply')), more, votes(t));
  return h('article', { part: 'comment', tabindex: -1 }, h('div', { class: 'box' }, header, h('div', { part: 'body' }), actions));
}

/** @param {Translate} t */
function votes(t) {
  const vote = (/** @type {'up' | 'down'} */ way) => {
    return actionButton(way, '0', { class: way, title: t(`vote_${way}`) });
  };
  return h('span', { class: 'votes' }, vote('up'), vote('down'));
}

/** @param {Element} element */
const first = (element) => /** @type {HTMLButtonElement} */ (element.firstElementChild);

/** @param {Element} element */
const next = (element) => /** @type {HTMLButtonElement} */ (element.nextElementSibling);

/** A button whose clicks the list handles. @param {Command} command @param {string} text @param {object} [properties] */
function actionButton(command, text, properties) {
  const element = button(text, 'action', undefined, properties);
  element.dataset.act = command;
  return element;
}
