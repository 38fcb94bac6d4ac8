/**
 * What stands around the comments: heading, connection, order, pill, the form, announcements.
 *
 *     heading · bar · [form] · pill · list · who is writing · [form] · announcements
 *
 * @import { Translate, Key } from '../page/strings.js'
 * @import { Discussion, Sort } from '../live/wire.js'
 * @import { Change } from '../live/thread.js'
 * @import { State } from '../live/stream.js'
 * @import { List } from './list.js'
 *
 * @typedef {object} Options
 * @property {Translate} t
 * @property {'ltr' | 'rtl'} direction
 * @property {string} [heading] The page's own words for it.
 * @property {number} headingLevel
 * @property {Sort} sort
 * @property {'top' | 'bottom'} composer
 * @property {{name?: string, body?: string}} fields What was typed before.
 * @property {(command: 'showAll' | 'submit') => void} dispatch
 * @property {(isPaused: boolean) => void} pause
 * @property {(sort: string) => void} reorder
 */
import { Form } from './form.js';
import { button, h, setText } from '../page/dom.js';

const RECONNECTING_MS = 3000;
/** Fewer comments are found by looking. */
const SEARCHED_FROM = 20;
const TROUBLE = ['waiting', 'connecting'];
const SORTS = /** @type {const} */ (['oldest', 'newest', 'top']);

let views = 0;

export class View {
  #options;
  #isLive = true;
  /** @type {State} */
  #state = 'idle';
  #readers = 0;
  /** @type {Discussion['mode'] | undefined} */
  #mode;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stateTimer;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    const { t, direction, composer } = options;
    const id = ++views;
    this.heading = this.#heading(`comments-${id}`);
    this.composeHeading = this.#heading(`compose-${id}`, t('your_comments'));
    this.form = this.newForm(`new-${id}`, 'send', true);
    this.form.name.value = options.fields.name ?? '';
    this.form.text.value = options.fields.body ?? '';
    this.form.element.onsubmit = (event) => {
      event.preventDefault();
      options.dispatch('submit');
    };
    this.notice = h('p', { part: 'notice' });
    const compose = h('section', { class: 'compose', 'aria-labelledby': this.composeHeading.id }, this.composeHeading, this.notice, this.form.element);
    this.stateText = h('span');
    this.state = h('span', { part: 'status' }, h('span', { part: 'status-dot' }), this.stateText);
    this.live = button(t('live'), 'live-toggle', () => options.pause(this.#isLive), { role: 'switch' });
    this.sort = h('select', { part: 'sort', 'aria-label': t('order'), onchange: () => options.reorder(this.sort.value) });
    this.sort.append(...SORTS.map((one) => h('option', { value: one, selected: one === options.sort }, t(one))));
    this.search = h('input', { type: 'search', part: 'search', 'aria-label': t('search'), placeholder: t('search'), dir: 'auto' });
    this.bar = h('div', { class: 'bar' }, this.state, this.live, this.sort, this.search);
    this.pillButton = button('', 'pill-button', () => options.dispatch('showAll'), { hidden: true });
    this.pill = h('div', { part: 'pill' }, this.pillButton);
    this.list = h('div');
    this.writing = h('p', { class: 'writing' });
    this.liveRegion = h('p', { class: 'unseen', role: 'status' });
    /** @type {HTMLElement[]} */
    const parts = [h('div', { class: 'top' }, this.heading, this.bar), this.pill, this.list, this.writing];
    parts.splice(composer === 'top' ? 1 : 4, 0, compose);
    this.element = h('div', { class: 'all', dir: direction }, ...parts, this.liveRegion);
  }

  /** @param {string} id @param {Key} submit @param {boolean} hasName */
  newForm(id, submit, hasName) {
    return new Form(this.#options.t, id, submit, hasName);
  }

  /** @param {string} id @param {string} [text] @returns {HTMLHeadingElement} */
  #heading(id, text = '') {
    const tag = /** @type {'h2'} */ (`h${this.#options.headingLevel}`);
    return h(tag, { id, part: 'heading' }, text);
  }

  close() {
    clearTimeout(this.#stateTimer);
  }

  /** Shows what changed of the comments, and what stands around them. @param {List} list @param {Change[]} changes @returns {boolean} Whether the mode is another one. */
  refresh(list, changes) {
    const { comment_count, mode } = list.thread.discussion;
    for (const change of changes) if (change.type === 'changed') list.update(change.id);
    this.#setCount(comment_count);
    const isOther = this.setMode(mode);
    if (isOther) list.updateAll();
    list.refresh();
    return isOther;
  }

  /** @param {number} n */
  #setCount(n) {
    setText(this.heading, this.#options.heading ?? this.#options.t('all_comments', { n }));
    this.sort.hidden = n < 2;
    this.search.hidden = n < SEARCHED_FROM && !this.search.value;
  }

  /** @param {Discussion['mode']} mode @returns {boolean} Whether it is another one. */
  setMode(mode) {
    if (mode === this.#mode) return false;
    const { t } = this.#options;
    this.#mode = mode;
    setText(this.notice, mode === 'open' ? '' : t(mode === 'closed' ? 'closed' : 'held_mode'));
    this.notice.hidden = mode === 'open';
    this.form.element.hidden = mode === 'closed';
    return true;
  }

  /** @param {boolean} isLive */
  setLive(isLive) {
    this.#isLive = isLive;
    this.live.ariaChecked = String(isLive);
    const state = this.#state;
    this.#state = 'idle';
    this.setState(state);
  }

  /** Trouble is shown only once it has lasted. @param {State} state */
  setState(state) {
    const lasts = TROUBLE.includes(state) && TROUBLE.includes(this.#state);
    this.#state = state;
    if (lasts) return;
    clearTimeout(this.#stateTimer);
    if (TROUBLE.includes(state)) this.#stateTimer = setTimeout(() => this.#showState(), RECONNECTING_MS);
    else this.#showState();
  }

  /** @param {number} readers */
  setReaders(readers) {
    this.#readers = readers;
    if (this.#state === 'live') this.#showState();
  }

  /** @param {number} n Others who are writing. */
  setWriting(n) {
    setText(this.writing, n > 0 && this.#isLive ? this.#options.t('writers', { n }) : '');
  }

  #showState() {
    const { t } = this.#options;
    /** @type {Partial<Record<State, Key>>} */
    const words = { connecting: this.#readers ? 'reconnecting' : 'connecting', waiting: 'reconnecting', offline: 'offline', stopped: 'stopped' };
    const key = words[this.#state];
    this.state.dataset.state = this.#isLive ? this.#state : 'idle';
    const readers = this.#state === 'live' && this.#readers ? t('readers', { n: this.#readers }) : '';
    setText(this.stateText, key ? t(key) : readers);
    this.state.hidden = !this.#isLive || !this.stateText.textContent;
  }
}
