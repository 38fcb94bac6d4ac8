/**
 * One discussion on the page from opening to closing: loads it, follows the stream, and tells the list.
 *
 *     snapshot ──▶ Thread ◀── events ── Stream
 *                    │ changes
 *                    ▼
 *      View ── List ── Card ──▶ CardContext ──▶ Actions, loaded afterwards: how what arrives appears, and all that readers do
 *
 * @import { Comment, Event, Message, Snapshot, Sort, Summary } from './live/wire.js'
 * @import { Change } from './live/thread.js'
 * @import { State, DeliveryResult } from './live/stream.js'
 * @import { TertuliaDiscussion } from './element.js'
 * @import { Actions } from './actions/actions.js'
 *
 * @typedef {object} Settings
 * @property {import('./live/api.js').Place} place
 * @property {string} language
 * @property {Sort} sort
 * @property {'top' | 'bottom'} composer
 * @property {'absolute' | 'relative'} time
 * @property {string} [timezone]
 * @property {string} [heading]
 * @property {number} headingLevel
 * @property {number} max Comments of a page.
 * @property {number} depth How far replies are indented.
 * @property {boolean} isLive
 * @property {boolean} isAnnounced
 * @property {boolean} isCredentialed
 * @property {string} [tokenEndpoint]
 */
import { Api, ApiError } from './live/api.js';
import { Backoff } from './live/backoff.js';
import { openStream } from './live/openStream.js';
import { Thread } from './live/thread.js';
import { importActions } from './bundles.js';
import { button, h } from './page/dom.js';
import { linkedId } from './page/names.js';
import { SafeStorage } from './page/storage.js';
import { english, translator } from './page/strings.js';
import { clock } from './page/time.js';
import { CardContext } from './reading/cardContext.js';
import { List } from './reading/list.js';
import { View } from './reading/view.js';

const TICK_MS = 30_000;
const SPREAD_MS = 1000;

export class Session {
  /** @type {'loading' | 'ready' | 'error'} */
  phase = 'loading';
  unseen = 0;
  isPaused = false;
  /** @type {Thread} From the first snapshot on, as are the following. */
  thread = /** @type {any} */ (undefined);
  view = /** @type {View} */ (/** @type {unknown} */ (undefined));
  clock = clock('absolute', 'en');
  list = /** @type {List} */ (/** @type {unknown} */ (undefined));
  /** @type {Actions | undefined} */
  actions;
  t = translator();
  #closing = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #backoff = new Backoff(Math.random, { base: 1000 });
  #notice = h('div', { part: 'skeleton', class: 'skeleton' });
  #offset = 0;
  /** Only the newest request for everything counts. */
  #loads = 0;
  /** @type {Promise<void>} */
  #opened;
  #resolveOpened = () => {};
  /** @type {Promise<Actions> | undefined} */
  #loadingActions;
  /** What arrived before it could be shown. @type {Comment[]} */
  #early = [];

  /** @param {TertuliaDiscussion} host @param {ShadowRoot | HTMLElement} root @param {Settings} settings */
  constructor(host, root, settings) {
    this.host = host;
    this.root = root;
    this.settings = settings;
    this.signal = this.#closing.signal;
    this.storage = new SafeStorage();
    this.api = new Api(settings.place, this.storage, this.signal);
    this.api.credentials = settings.isCredentialed ? 'include' : 'omit';
    this.isPaused = !settings.isLive || this.storage.get('tertulia:live') === 'off';
    this.cardContext = new CardContext(this);
    this.stream = openStream(this);
    this.#opened = new Promise((resolve) => (this.#resolveOpened = resolve));
    this.load();
  }

  close() {
    this.actions?.close();
    this.#closing.abort();
    this.stream.close();
    this.view?.close();
    clearTimeout(this.#retry);
    this.#clear();
  }

  now() {
    return Date.now() + this.#offset;
  }

  /** @param {string} name @param {object} detail @param {boolean} [cancelable] @returns {boolean} Whether the page lets it go on. */
  emit(name, detail, cancelable = false) {
    return this.host.dispatchEvent(new CustomEvent(`tertulia-${name}`, { bubbles: true, composed: true, cancelable, detail }));
  }

  /** Takes over what can change on the fly. @param {Settings} settings */
  change(settings) {
    const { sort, isLive } = this.settings;
    this.settings = settings;
    if (settings.sort !== sort) this.load();
    if (settings.isLive !== isLive) this.pause(!settings.isLive);
  }

  /** @param {string | null} token */
  async setToken(token) {
    this.api.keep(token);
    await this.load();
  }

  // ---- loading ------------------------------------------------------------------------------------------

  async load() {
    clearTimeout(this.#retry);
    if (this.phase !== 'ready') this.#showLoading();
    const { sort, max, language } = this.settings;
    const load = ++this.#loads;
    const isOver = () => this.signal.aborted || load !== this.#loads;
    try {
      const snapshot = await this.api.snapshot(sort, max, language);
      if (isOver()) return;
      this.#backoff.reset();
      this.#show(snapshot, sort);
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof ApiError)) throw error;
      this.#failed(error);
    }
  }

  #showLoading() {
    this.phase = 'loading';
    if (this.host.firstElementChild) return;
    this.#notice.replaceChildren();
    this.host.setAttribute('aria-busy', 'true');
    this.root.append(this.#notice);
  }

  /** @param {ApiError} error */
  #failed({ status, code }) {
    this.#retry = setTimeout(() => this.load(), this.#backoff.next() + 2000);
    this.emit('error', { error: { status, code } });
    if (this.phase === 'ready') return;
    this.phase = 'error';
    const language = this.storage.get(this.#languageItem);
    this.t = translator(language && JSON.parse(language));
    const again = button(this.t('try_again'), 'again', () => this.load());
    this.#notice.replaceChildren(this.t('load_error'), ' ', again);
    this.host.removeAttribute('aria-busy');
    this.root.append(this.#notice);
  }

  get #languageItem() {
    return `tertulia:language:${this.settings.language}`;
  }

  /** @param {Snapshot} snapshot @param {Sort} sort */
  #show(snapshot, sort) {
    this.#offset = Date.parse(snapshot.server_time) - Date.now();
    const isFirst = this.phase !== 'ready';
    // what came while the snapshot was on its way is not in it: it comes once more
    if (this.thread?.discussion.seq > snapshot.discussion.seq) this.stream.away();
    this.#early = [];
    this.thread = new Thread(snapshot, sort);
    if (isFirst) this.#prepare(snapshot);
    this.view.sort.value = sort;
    const replace = () => this.#replaceList();
    if (this.actions) this.actions.replaceList(replace);
    else replace();
    if (isFirst) this.#open();
    else this.#discussionChanged();
    if (this.stream.state !== 'idle') this.stream.start();
  }

  /** @param {Snapshot} snapshot */
  #prepare({ strings, discussion }) {
    const { settings } = this;
    this.t = translator(strings);
    this.api.language = strings?.language ?? 'en';
    this.storage.set(this.#languageItem, strings ? JSON.stringify(strings) : null);
    this.clock = clock(settings.time, strings?.language ?? 'en', settings.timezone);
    this.view = new View({
      ...settings,
      t: this.t,
      direction: strings?.direction ?? 'ltr',
      fields: this.#typed(),
      showAll: () => this.#dispatch((actions) => actions.pagination.showAll()),
      pause: (isPaused) => this.#choose(isPaused),
      reorder: (sort) => this.host.setAttribute('sort', sort),
      submit: () => this.#dispatch(() => this.view.form.element.requestSubmit()),
    });
    this.view.setMode(discussion.mode);
  }

  #replaceList() {
    const list = new List(this.thread, this.cardContext, this.view.heading.id, (parent) =>
      this.#dispatch((actions) => actions.pagination.load(parent)));
    list.show(this.thread.comments.keys());
    this.list = list;
    this.view.list.replaceChildren(list.element);
  }

  #open() {
    const { host, root, view, signal } = this;
    this.phase = 'ready';
    host.removeAttribute('aria-busy');
    const { isFocused } = this.#typed();
    host.replaceChildren();
    root.replaceChildren(view.element);
    if (isFocused) view.form.text.focus();
    this.pause(this.isPaused);
    const tick = setInterval(() => document.hidden || this.list.tick(), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
    this.emit('ready', { total: this.thread.discussion.comment_count });
    this.#resolveOpened();
    this.#whenIdle(() => this.#dispatch(() => {}));
  }

  /** What the reader has typed into the server's form meanwhile. */
  #typed() {
    const field = (/** @type {string} */ name) =>
      /** @type {HTMLInputElement | null} */ (this.host.querySelector(`[name="${name}"]`));
    const body = field('body');
    return { body: body?.value, name: field('name')?.value, isFocused: body !== null && document.activeElement === body };
  }

  #clear() {
    this.root.replaceChildren(...(this.root === this.host ? [] : [document.createElement('slot')]));
  }

  // ---- the actions --------------------------------------------------------------------------------------

  /** Who saves data gets the second file only when it is needed. @param {() => void} work */
  #whenIdle(work) {
    const { connection } = /** @type {any} */ (navigator);
    const isWanted = linkedId() || this.settings.tokenEndpoint || this.storage.get(this.cardContext.queueItem);
    if (connection?.saveData && !isWanted) return this.root.addEventListener('focusin', work, { once: true });
    if ('requestIdleCallback' in globalThis) requestIdleCallback(work, { timeout: 2000 });
    else setTimeout(work, 200);
  }

  /** What the reader can do, loaded at the first call. @returns {Promise<Actions>} */
  loadActions() {
    this.#loadingActions ??= this.#importActions();
    return this.#loadingActions;
  }

  async #importActions() {
    const loaded = await importActions().catch((error) => {
      this.#loadingActions = undefined;
      this.#showLoadError(this.t('form_error'));
      throw error;
    });
    await this.#opened;
    this.signal.throwIfAborted();
    Object.assign(english, loaded.sentences);
    this.host.adoptStyles(loaded.css);
    this.#showLoadError('');
    this.actions = new loaded.Actions(this);
    for (const comment of this.#early.splice(0)) this.actions.arrived(comment);
    this.actions.arrivals.count();
    return this.actions;
  }

  /** @param {string} sentence */
  #showLoadError(sentence) {
    const error = this.view?.form.error;
    if (!error) return;
    error.textContent = sentence;
    error.hidden = !sentence;
  }

  /** Failures are shown by `loadActions`. @param {(actions: Actions) => unknown} work */
  #dispatch(work) {
    this.loadActions().then(work, () => {});
  }

  // ---- the stream ---------------------------------------------------------------------------------------

  /** @param {Message} message @returns {DeliveryResult} */
  deliver(message) {
    const { thread, view } = this;
    if (message.readers !== undefined) view.setReaders(message.readers);
    if (message.type === 'presence') view.setWriting((message.writing ?? 0) - (this.actions?.isWriting ? 1 : 0));
    if (message.events) return this.#events(message, message.events);
    if (message.type === 'reset') return 'reset';
    if (message.type === 'hello' && message.epoch !== thread.discussion.epoch) return 'reset';
    return message.type === 'heartbeat' && (message.seq ?? 0) > thread.discussion.seq ? 'gap' : 'ok';
  }

  /** The cursor cannot be continued: everything is read again, after a moment that spreads the readers. */
  reload() {
    this.#retry = setTimeout(() => this.load(), Math.random() * SPREAD_MS);
  }

  /** @param {State} state */
  streamChanged(state) {
    this.view?.setState(state);
    if (state !== 'live') this.view?.setWriting(0);
    this.emit('state', { state });
  }

  /** @param {Message} message @param {Event[]} events @returns {DeliveryResult} */
  #events(message, events) {
    const { thread } = this;
    /** @type {Change[]} */
    const changes = [];
    const isGap = message.type === 'summary'
      ? thread.summarise(/** @type {Summary} */ (message), changes) === 'gap'
      : events.some((event) => thread.apply(event, changes) === 'gap');
    this.showChanges(changes);
    return isGap ? 'gap' : 'ok';
  }

  /** @param {Change[]} changes */
  showChanges(changes) {
    if (!changes.length) return;
    const show = () => {
      for (const change of changes) if (change.type !== 'discussion') this.#changed(change);
      this.#discussionChanged();
    };
    if (this.actions) this.actions.preserveScroll(show);
    else show();
  }

  /** @param {Exclude<Change, {type: 'discussion'}>} change */
  #changed({ type, id }) {
    const comment = this.thread.comments.get(id);
    if (!comment) return;
    if (type === 'changed') return this.list.update(id);
    this.emit('comment', { comment });
    if (this.actions) this.actions.arrived(comment);
    else {
      this.#early.push(comment);
      this.#dispatch(() => {});
    }
  }

  #discussionChanged() {
    const { comment_count, mode } = this.thread.discussion;
    this.actions?.arrivals.count();
    this.view.setCount(comment_count - (this.isPaused ? this.unseen + this.#early.length : 0));
    if (this.view.setMode(mode)) {
      this.list.updateAll();
      this.actions?.forms.viewerChanged();
    }
    this.list.refresh();
  }

  // ---- live or not --------------------------------------------------------------------------------------

  /** The reader's choice, which is remembered. @param {boolean} isPaused */
  #choose(isPaused) {
    this.storage.set('tertulia:live', isPaused ? 'off' : null);
    this.pause(isPaused);
  }

  /** Holds arrivals back; who opened the page paused has no connection until it goes on. @param {boolean} isPaused */
  pause(isPaused) {
    this.isPaused = isPaused;
    if (this.phase !== 'ready') return;
    this.view.setLive(!isPaused);
    this.#discussionChanged();
    if (isPaused) return;
    this.stream.start();
    this.actions?.arrivals.look();
  }
}
