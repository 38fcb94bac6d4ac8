/**
 * One discussion on the page from opening to closing. It is what all features see of one another; it knows none of them.
 *
 *     loading.js ── snapshot ──▶ Thread ◀── events ── live.js
 *                                  │ changes
 *                                  ▼
 *     View ── List ── Card ── dispatch ──▶ controllers, loaded afterwards: how arrivals appear, and all that readers do
 *
 * @import { Snapshot, Sort } from './live/wire.js'
 * @import { TertuliaDiscussion } from './element.js'
 * @import { Actions, Settings } from './actions/context.js'
 */
import { importActions, importDiagnosis, isNamed } from './bundles.js';
import { cardContext } from './cardContext.js';
import { Live } from './live.js';
import { Api } from './live/api.js';
import { Thread } from './live/thread.js';
import { languageItem, loader } from './loading.js';
import { itemName, linkedId } from './page/names.js';
import { storage } from './page/storage.js';
import { english, translator } from './page/strings.js';
import { Mount } from './page/mount.js';
import { clock } from './page/time.js';
import { List } from './reading/list.js';
import { View } from './reading/view.js';


export class Discussion {
  /** @type {'loading' | 'ready' | 'error'} */
  phase = 'loading';
  unseen = 0;
  /** @type {Thread} From the first snapshot on, as are the following. */
  thread = /** @type {any} */ (undefined);
  view = /** @type {View} */ (/** @type {unknown} */ (undefined));
  clock = clock('absolute', 'en');
  list = /** @type {List} */ (/** @type {unknown} */ (undefined));
  /** Once they are loaded. @type {Actions | undefined} */
  actions;
  t = translator();
  storage = storage;
  #closing = new AbortController();
  #offset = 0;
  /** @type {Promise<void>} */
  #opened;
  #resolveOpened = () => {};
  /** @type {Promise<Actions> | undefined} */
  #loadingActions;

  /** @param {TertuliaDiscussion} host @param {ShadowRoot | HTMLElement} root @param {Settings} settings */
  constructor(host, root, settings) {
    this.host = host;
    this.root = root;
    this.mount = new Mount(host, root);
    this.settings = settings;
    this.signal = this.#closing.signal;
    this.api = new Api(settings.place, storage, this.signal);
    this.api.credentials = settings.isCredentialed ? 'include' : 'omit';
    this.isPaused = (this.storage.get('tertulia:live') ?? settings.live) === 'off';
    this.cards = cardContext(this);
    this.live = new Live(this);
    this.#opened = new Promise((resolve) => (this.#resolveOpened = resolve));
    this.loader = loader(this, (snapshot, sort) => this.#show(snapshot, sort));
    this.loader.load();
  }

  close() {
    this.actions?.notify('stop');
    this.#closing.abort();
    this.live.stream.close();
    this.view?.close();
    this.loader.stop();
    this.mount.clear();
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
    const { sort, live } = this.settings;
    this.settings = settings;
    if (settings.sort !== sort) this.loader.load();
    if (settings.live !== live) this.live.pause(settings.live === 'off');
  }

  /** A signed one may be the site's own, which is exchanged before it is kept. @param {any} token A text or null. */
  setToken(token) {
    if (/^ey/.test(token)) this.dispatch('token', (this.api.token = token));
    else this.api.keep(token);
    return this.loader.load();
  }

  /** @param {number} count Comments that have arrived and are not shown yet. */
  setUnseen(count) {
    this.unseen = count;
    this.emit('unseen', { count });
  }

  /** Says in the console what the page or the server has to change. @param {{status: number, code: string}} [refusal] Why there are no comments. */
  diagnose(refusal) {
    const { host, settings: { place } } = this;
    importDiagnosis(place.server).then(({ diagnose }) => diagnose(host, place, refusal), () => isNamed || console.warn('Tertulia: write server="https://…"'));
  }

  // ---- showing what was read ------------------------------------------------------------------------------

  /** @param {Snapshot} snapshot @param {Sort} sort */
  #show(snapshot, sort) {
    const { stream } = this.live;
    this.#offset = Date.parse(snapshot.server_time) - Date.now();
    const isFirst = this.phase !== 'ready';
    // what came while the snapshot was on its way is not in it: it comes once more
    if (this.thread?.discussion.seq > snapshot.discussion.seq) stream.away();
    this.live.takeEarly();
    this.thread = new Thread(snapshot, sort);
    if (isFirst) this.#prepare(snapshot);
    this.view.sort.value = sort;
    const replace = () => this.#replaceList();
    if (this.actions) this.actions.keepPlace(replace);
    else replace();
    if (isFirst) this.#open();
    else this.live.refresh();
    if (stream.state !== 'idle') stream.start();
  }

  /** @param {Snapshot} snapshot */
  #prepare({ strings, badges, discussion }) {
    const { settings } = this;
    Object.assign(english, badges);
    this.t = translator(strings);
    this.api.language = strings?.language ?? 'en';
    this.storage.set(languageItem(this), strings ? JSON.stringify(strings) : null);
    this.clock = clock(settings.time, strings?.language ?? 'en', settings.timezone, settings.isShortDate);
    this.view = new View({
      ...settings,
      t: this.t,
      direction: strings?.direction ?? 'ltr',
      fields: { name: this.#field('name')?.value, body: this.#field('body')?.value },
      dispatch: (command) => this.dispatch(command),
      pause: (isPaused) => {
        // the reader's choice is remembered, against the page's
        this.storage.set('tertulia:live', isPaused ? 'off' : 'on');
        this.live.pause(isPaused);
      },
      reorder: (sort) => this.host.setAttribute('sort', sort),
    });
    this.view.setMode(discussion.mode);
  }

  #replaceList() {
    this.list = new List(this.thread, this.cards, this.view.heading.id);
    this.list.show(this.thread.comments.keys());
    this.view.list.replaceChildren(this.list.element);
    this.actions?.notify('listReplaced');
    this.actions?.notify('viewerChanged');
  }

  #open() {
    const { view } = this;
    this.phase = 'ready';
    const typed = this.#field('body');
    const isFocused = typed?.matches(':focus');
    // it is taken over once: the field may be there again when the element is moved
    if (typed) typed.value = '';
    this.mount.fill(view.element);
    if (isFocused) view.form.text.focus();
    this.live.pause(this.isPaused);
    this.emit('ready', { total: this.thread.discussion.comment_count });
    this.#resolveOpened();
    this.#whenIdle(() => this.loadActions().catch(() => {}));
  }

  /** A field of the form that the server rendered, which the reader may have typed into meanwhile. @param {'name' | 'body'} name */
  #field(name) {
    return /** @type {HTMLInputElement | null} */ (this.host.querySelector(`[name="${name}"]`));
  }

  // ---- the controllers ------------------------------------------------------------------------------------

  /** Readers who save data get the second file only when they need it, or left something to be sent. @param {() => void} work */
  #whenIdle(work) {
    const { place, tokenEndpoint } = this.settings;
    const isLeft = ['outbox', 'deletions', 'votes'].some((name) => this.storage.get(itemName(name, place, place.key)));
    const isWanted = linkedId() || tokenEndpoint || isLeft;
    if (/** @type {any} */ (navigator).connection?.saveData && !isWanted) return this.root.addEventListener('focusin', work, { once: true });
    const idle = /** @type {typeof requestIdleCallback | undefined} */ (globalThis.requestIdleCallback);
    if (idle) idle(work, { timeout: 2000 });
    else setTimeout(work, 200);
  }

  /** What the reader can do, loaded at the first call; a failure is shown, and the next call tries again. @returns {Promise<Actions>} */
  loadActions() {
    this.#loadingActions ??= this.#importActions();
    return this.#loadingActions;
  }

  async #importActions() {
    const loaded = await importActions(this.settings.place.server).catch((error) => {
      this.#loadingActions = undefined;
      this.#showLoadError(this.t('form_error'));
      throw error;
    });
    await this.#opened;
    this.signal.throwIfAborted();
    Object.assign(english, loaded.sentences);
    this.host.adoptStyles(loaded.css);
    this.#showLoadError('');
    this.actions = loaded.createActions(this);
    this.actions.notify('start', this);
    this.actions.notify('changed', this.live.takeEarly());
    return this.actions;
  }

  /** @param {string} sentence */
  #showLoadError(sentence) {
    const error = this.view?.form.error;
    if (!error) return;
    error.textContent = sentence;
    error.hidden = !sentence;
  }

  /** Has something done; that it could not be loaded is shown. @param {string} command @param {string | null} [id] */
  dispatch(command, id) {
    this.loadActions().then((actions) => actions.commands[command](id), () => {});
  }
}
