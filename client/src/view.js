/**
 * What stands around the comments: heading, connection, order, pill, the place of the form, announcements.
 *
 * @import { Speak, Key } from './strings.js'
 * @import { Sort } from './wire.js'
 * @import { State } from './stream.js'
 *
 * @typedef {object} Options
 * @property {Speak} say
 * @property {string} [heading] The page's own words for it.
 * @property {Sort} sort
 * @property {'top' | 'bottom'} composer
 * @property {() => void} showAll
 * @property {(isLive: boolean) => void} toggle
 * @property {(sort: string) => void} reorder
 */
import { Announcer } from './announcer.js';
import { button, h, setAttribute, setText } from './dom.js';

const RECONNECTING_MS = 3000;
const SORTS = /** @type {const} */ (['oldest', 'newest', 'top']);

export class View {
  #options;
  #isLive = true;
  #unseen = 0;
  /** @type {State} */
  #state = 'idle';
  #readers = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stateTimer;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    const { say } = options;
    this.heading = h('h2', { id: 'heading', part: 'heading' });
    this.stateText = h('span');
    this.state = h('span', { part: 'status' }, h('span', { part: 'status-dot' }), this.stateText);
    this.live = button('', 'live-toggle', () => options.toggle(!this.#isLive));
    this.sort = h('select', { part: 'sort', 'aria-label': say('sort'), onchange: () => options.reorder(this.sort.value) });
    this.sort.append(...SORTS.map((sort) => h('option', { value: sort }, say(sort))));
    this.sort.value = options.sort;
    this.pillButton = button('', 'pill-button', options.showAll);
    this.pill = h('div', { part: 'pill', hidden: true }, this.pillButton);
    this.list = h('div');
    this.writing = h('p', { class: 'writing' });
    this.compose = h('section', { class: 'compose', 'aria-labelledby': 'compose' });
    this.announcer = new Announcer((n) => say('pill', { n }));
    const top = h('div', { class: 'top' }, this.heading, h('div', { class: 'bar' }, this.state, this.live, this.sort));
    this.parts = [top, this.pill, this.list, this.writing, this.compose, this.announcer.element];
    if (options.composer === 'top') this.parts.splice(1, 0, this.parts.splice(4, 1)[0]);
    this.setLive(true);
  }

  close() {
    clearTimeout(this.#stateTimer);
    this.announcer.close();
  }

  /** @param {number} n */
  setCount(n) {
    setText(this.heading, this.#options.heading ?? this.#options.say('heading', { n }));
    this.sort.hidden = n < 2;
  }

  /** @param {boolean} isLive */
  setLive(isLive) {
    this.#isLive = isLive;
    setAttribute(this.live, 'aria-pressed', String(isLive));
    this.setUnseen(this.#unseen);
    this.setState(this.#state);
  }

  /** @param {number} n Comments that wait to be shown. */
  setUnseen(n) {
    const { say } = this.#options;
    this.#unseen = n;
    this.pill.hidden = n === 0 || !this.#isLive;
    setText(this.pillButton, say('pill', { n }));
    setText(this.live, this.#isLive ? say('live') : say(n ? 'pausedNew' : 'paused', { n }));
  }

  /** Trouble is told only once it has lasted. @param {State} state */
  setState(state) {
    this.#state = state;
    clearTimeout(this.#stateTimer);
    const isTrouble = state === 'waiting' || state === 'connecting';
    if (isTrouble) this.#stateTimer = setTimeout(() => this.#showState(), RECONNECTING_MS);
    else this.#showState();
  }

  /** @param {number} readers */
  setReaders(readers) {
    this.#readers = readers;
    if (this.#state === 'live') this.#showState();
  }

  /** @param {number} n Others who are writing. */
  setWriting(n) {
    setText(this.writing, n > 0 && this.#isLive ? this.#options.say('writing', { n }) : '');
  }

  #showState() {
    const { say } = this.#options;
    /** @type {Partial<Record<State, Key>>} */
    const words = { connecting: 'connecting', waiting: 'reconnecting', offline: 'offline', stopped: 'stopped' };
    const key = words[this.#state];
    this.state.dataset.state = this.#isLive ? this.#state : 'idle';
    const readers = this.#state === 'live' && this.#readers ? say('reading', { n: this.#readers }) : '';
    setText(this.stateText, key ? say(key) : readers);
    this.state.hidden = !this.#isLive || !this.stateText.textContent;
  }
}
