/**
 * One discussion on the page from opening to closing: loads it, follows the stream, and tells the list.
 *
 *     snapshot ──▶ Thread ◀── events ── Stream
 *                    │ changes
 *                    ▼
 *          Arrivals ──▶ List ──▶ Card          Writer: what the reader says and does
 *
 * @import { Event, Message, Sort, Summary } from './wire.js'
 * @import { Change } from './thread.js'
 * @import { State, Taken } from './stream.js'
 *
 * @typedef {object} Settings
 * @property {import('./api.js').Place} place
 * @property {string} language
 * @property {Sort} sort
 * @property {'top' | 'bottom'} composer
 * @property {'absolute' | 'relative'} time
 * @property {string} [timezone]
 * @property {string} [heading]
 * @property {boolean} isLive
 */
import { Api } from './api.js';
import { Arrivals } from './arrivals.js';
import { Backoff } from './backoff.js';
import { button, h } from './dom.js';
import { List } from './list.js';
import { follow } from './follow.js';
import { SafeStorage } from './storage.js';
import { anchorIn, bringIntoView, keeping } from './scroll.js';
import { speaker } from './strings.js';
import { Thread } from './thread.js';
import { clock } from './time.js';
import { View } from './view.js';
import { Writer } from './writer.js';

const TICK_MS = 30_000;

export class Session {
  #closing = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #backoff = new Backoff(Math.random, { base: 1000 });
  #isOpen = false;
  #isFilling = false;
  #unseen = 0;
  #offset = 0;
  /** @type {Thread} */
  thread = /** @type {any} */ (null);
  /** @type {List} */
  list = /** @type {any} */ (null);

  /** @param {HTMLElement} host @param {ShadowRoot | HTMLElement} root @param {Settings} settings */
  constructor(host, root, settings) {
    this.host = host;
    this.root = root;
    this.settings = settings;
    this.signal = this.#closing.signal;
    this.say = speaker(settings.language);
    this.clock = clock(settings.time, settings.language, settings.timezone);
    this.storage = new SafeStorage();
    this.api = new Api(settings.place, this.storage, this.signal);
    this.isLive = settings.isLive && this.storage.get('tertulia:live') !== 'off';
    this.view = new View({
      ...settings,
      say: this.say,
      showAll: () => this.#showAll(),
      toggle: (isLive) => this.#toggle(isLive),
      reorder: (sort) => host.setAttribute('sort', sort),
    });
    this.arrivals = new Arrivals({
      list: () => this.list,
      root: /** @type {ShadowRoot} */ (root instanceof ShadowRoot ? root : document),
      shown: (ids) => this.view.announcer.arrived(ids.length),
      counted: () => this.#count(),
    }, this.signal);
    this.writer = new Writer(this);
    this.notice = h('p', { class: 'loading', 'aria-busy': 'true' });
    this.stream = follow(this);
    this.#load();
  }

  close() {
    this.writer.close();
    this.#closing.abort();
    this.stream.close();
    this.view.close();
    clearTimeout(this.#retry);
    this.#clear();
  }

  now() {
    return Date.now() + this.#offset;
  }

  /** @param {string} name @param {object} detail */
  emit(name, detail) {
    this.host.dispatchEvent(new CustomEvent(`tertulia-${name}`, { bubbles: true, composed: true, detail }));
  }

  // ---- loading ------------------------------------------------------------------------------------------

  async #load() {
    clearTimeout(this.#retry);
    if (!this.#isOpen) this.#showLoading();
    try {
      const snapshot = await this.api.snapshot(this.settings.sort);
      if (this.signal.aborted) return;
      this.#offset = Date.parse(snapshot.server_time) - Date.now();
      this.#backoff.reset();
      this.#show(new Thread(snapshot, this.settings.sort));
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof Error && 'status' in error)) throw error;
      this.#failed();
    }
  }

  #showLoading() {
    if (this.host.firstElementChild && this.root !== this.host) return;
    this.notice.replaceChildren(this.say('loading'));
    if (!this.host.firstElementChild) this.root.append(this.notice);
  }

  #failed() {
    this.#retry = setTimeout(() => this.#load(), this.#backoff.next() + 2000);
    if (this.#isOpen) return;
    const again = button(this.say('again'), 'again', () => this.#load());
    this.notice.replaceChildren(this.say('loadError'), ' ', again);
    this.notice.removeAttribute('aria-busy');
    this.root.append(this.notice);
  }

  /** @param {Thread} thread */
  #show(thread) {
    const isFirst = !this.#isOpen;
    this.thread = thread;
    for (const id of [...this.arrivals.waiting]) this.arrivals.drop(id);
    const anchor = isFirst ? null : anchorIn(this.root)?.closest('article')?.id;
    const find = () => (anchor ? this.list.element.querySelector(`[id="${anchor}"]`) : null);
    const list = new List(thread, this.writer, (parent) => this.#loadMore(parent));
    list.show(thread.comments.keys());
    const before = isFirst ? 0 : find()?.getBoundingClientRect().top ?? 0;
    this.list = list;
    this.view.list.replaceChildren(list.element);
    const kept = find();
    if (kept) scrollBy(0, kept.getBoundingClientRect().top - before);
    if (isFirst) this.#open();
    else this.writer.showEntries();
    this.#discussionChanged();
    if (isFirst || this.stream.state !== 'idle') this.stream.start();
  }

  #open() {
    this.#isOpen = true;
    const typed = { ...this.#typed(this.host), ...this.#typed(this.root) };
    this.#clear();
    this.host.replaceChildren();
    this.root.replaceChildren(...this.view.parts);
    this.writer.open(typed);
    this.setLive(this.isLive);
    const tick = setInterval(() => document.hidden || this.list.tick(), TICK_MS);
    this.signal.addEventListener('abort', () => clearInterval(tick));
    addEventListener('hashchange', () => this.#goToHash(), { signal: this.signal });
    this.emit('ready', { total: this.thread.discussion.comment_count });
    this.#goToHash();
  }

  /** What the reader has typed into the server's form meanwhile. @param {ParentNode} root */
  #typed(root) {
    /** @type {(name: string) => HTMLInputElement | null} */
    const field = (name) => root.querySelector(`[name="${name}"]`);
    const body = field('body');
    const isFocused = body !== null && document.activeElement === body;
    return body?.value || isFocused ? { body: body?.value, name: field('name')?.value, isFocused } : {};
  }

  #clear() {
    if (this.root === this.host) this.root.replaceChildren();
    else this.root.replaceChildren(document.createElement('slot'));
  }

  // ---- further pages ------------------------------------------------------------------------------------

  /** @param {string | null} parent */
  async #loadMore(parent) {
    const { thread, list } = this;
    const cards = new Set(list.cards.keys());
    try {
      const ids = await thread.load(parent, (cursor) =>
        this.api.page(parent ? { parent, cursor } : { sort: thread.sort, cursor, limit: 50 }),
      );
      for (const id of ids) this.arrivals.drop(id);
      keeping(anchorIn(this.root), () => list.show(ids));
      const first = ids.find((id) => !cards.has(id));
      const element = first && list.cards.get(first)?.element;
      if (element) list.focus(element, true);
    } catch {
      this.view.announcer.say(this.say('loadError'));
    }
  }

  #goToHash() {
    const id = /^#comment-([\w-]+)$/.exec(location.hash)?.[1];
    if (id) this.goTo(id);
  }

  /** Shows a comment, loading the page that holds it. @param {string} id */
  async goTo(id) {
    if (!this.thread.comments.has(id)) await this.#find(id).catch(() => {});
    this.list.show(this.thread.comments.has(id) ? [id] : []);
    this.arrivals.drop(id);
    const element = this.list.cards.get(id)?.element;
    if (!element) return;
    this.root.querySelector('.target')?.classList.remove('target');
    element.classList.add('target');
    this.list.focus(element, true);
    bringIntoView(element, 'start');
  }

  /** @param {string} id */
  async #find(id) {
    const { thread, api } = this;
    const found = await api.comment(id);
    if (found.site !== api.place.site || found.key !== thread.discussion.key) return;
    const cursor = found.cursor ?? undefined;
    this.list.show(await thread.reveal(() => api.page({ sort: 'oldest', cursor, limit: 1 })));
    if (!thread.comments.has(id)) {
      this.list.show(await thread.reveal(async () => ({ comments: [...found.ancestors, found.comment] })));
    }
  }

  // ---- the stream ---------------------------------------------------------------------------------------

  /** @param {Message} message @returns {Taken} */
  deliver(message) {
    const { thread, view } = this;
    if (message.readers !== undefined) view.setReaders(message.readers);
    if (message.type === 'presence') view.setWriting((message.writing ?? 0) - (this.writer.isWriting ? 1 : 0));
    if (message.events) return this.#events(message, message.events);
    if (message.type === 'reset') return 'reset';
    if (message.type === 'hello' && message.epoch !== thread.discussion.epoch) return 'reset';
    return message.type === 'heartbeat' && (message.seq ?? 0) > thread.discussion.seq ? 'hole' : 'ok';
  }

  /** The cursor cannot be continued: everything is read again, after a moment that spreads the readers. */
  reload() {
    this.#retry = setTimeout(() => this.#load(), Math.random() * 1000);
  }

  /** @param {State} state */
  streamChanged(state) {
    this.view.setState(state);
    if (state !== 'live') this.view.setWriting(0);
    this.emit('state', { state });
  }

  /** @param {Message} message @param {Event[]} events @returns {Taken} */
  #events(message, events) {
    const { thread } = this;
    /** @type {Change[]} */
    const changes = [];
    const isHole = message.type === 'summary'
      ? thread.summarise(/** @type {Summary} */ (message), changes) === 'hole'
      : events.some((event) => thread.apply(event, changes) === 'hole');
    this.#showChanges(changes);
    return isHole ? 'hole' : 'ok';
  }

  /** @param {Change[]} changes */
  #showChanges(changes) {
    for (const change of changes) this.#changed(change);
    if (changes.length) this.list.refresh();
  }

  /** @param {Change} change */
  #changed(change) {
    if (change.type === 'discussion') return this.#discussionChanged();
    const comment = this.thread.comments.get(change.id);
    if (!comment) return;
    if (change.type === 'changed') return this.list.update(change.id);
    this.emit('comment', { comment });
    if (!this.writer.holdsBack(comment)) this.arrivals.add(change.id);
  }

  #discussionChanged() {
    const { comment_count, mode } = this.thread.discussion;
    this.view.setCount(comment_count);
    this.#count();
    if (this.writer.setMode(mode)) this.list.updateAll();
    this.list.refresh();
  }

  // ---- what the reader has not seen ---------------------------------------------------------------------

  #count() {
    const count = this.arrivals.waiting.size + this.thread.leftOut;
    if (count === this.#unseen) return;
    this.#unseen = count;
    this.view.setUnseen(count);
    this.emit('unseen', { count });
  }

  /** Shows what waits and what summaries left out. */
  async #showAll() {
    const { thread, arrivals, view } = this;
    if (this.#isFilling) return;
    this.#isFilling = true;
    const changes = thread.leftOut ? await thread.fill((after) => this.api.events(after)).catch(() => null) : [];
    this.#isFilling = false;
    if (!changes) view.announcer.say(this.say('loadError'));
    else if (thread === this.thread) this.#showChanges(changes);
    this.#count();
    // what came may lie beyond the loaded part
    if (changes && !arrivals.waiting.size) this.list.more.focus();
    else arrivals.showAll();
  }

  // ---- live or not --------------------------------------------------------------------------------------

  /** @param {boolean} isLive */
  #toggle(isLive) {
    this.storage.set('tertulia:live', isLive ? null : 'off');
    this.setLive(isLive);
  }

  /** Off holds arrivals back; who opened the page with it off has no connection until it is on. @param {boolean} isLive */
  setLive(isLive) {
    this.isLive = isLive;
    this.arrivals.isPaused = !isLive;
    this.view.setLive(isLive);
    if (isLive) this.stream.start();
    if (isLive) this.arrivals.look();
  }
}
