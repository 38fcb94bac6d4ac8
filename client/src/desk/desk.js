/**
 * A console: the page of a queue, kept as things are.
 *
 *     stream ──▶ log ──▶ queue ─┬─ changed ──▶ the card anew
 *                               ├─ left ─────▶ who decided; folds
 *                               └─ fresh ────▶ the button "3 new"
 *     press, key ──▶ acts ──▶ requests ──▶ counts, status, undo
 *
 * @import { State } from '../live/stream.js'
 * @import { DeskItem, DeskMessage } from './log.js'
 * @import { Requests } from './requests.js'
 * @import { Say } from './sentences.js'
 * @import { Platform } from '../page/browser.js'
 * @import { SafeStorage } from '../page/storage.js'
 * @import { Transport } from '../live/transports.js'
 */
import { Acts, targetOf } from './acts.js';
import { Cards, FOLD_MS } from './cards.js';
import { Coalesced } from './coalesced.js';
import { connection } from './connection.js';
import { CountLine } from './counts.js';
import { DeskLog } from './log.js';
import { byComment, Looking } from './looking.js';
import { markDecided, markLooking } from './marks.js';
import { Queue } from './queue.js';
import { MOST_ITEMS } from './requests.js';
import { Selection } from './selection.js';
import { Status } from './status.js';
import { UndoStack } from './undo.js';

const PAUSE_MS = 200;
/** Below so many cards more are asked for. */
const FEW = 10;
const OTHERS_DID = new Set(['approved', 'kept', 'removed', 'spam', 'restored', 'deleted']);

/**
 * @typedef {object} World What a console is given.
 * @property {HTMLElement} root
 * @property {Requests} requests
 * @property {Transport} socket
 * @property {Say} t
 * @property {Platform} platform
 * @property {SafeStorage} session Of this window.
 * @property {string} language
 */

/** Parts of the page that are drawn beside the cards. @typedef {{setNew: (n: number) => void, setCurrent: (card: HTMLElement | null) => void, setChosen: () => void, setTrouble: (state: 'lost' | 'ended' | '') => void}} Tools */

export class DeskPage {
  isOffline = false;
  hasEnded = false;
  /** @type {Tools | undefined} */
  tools;
  selection = new Selection();
  /** @type {HTMLElement | null} */
  #current = null;
  #mayHaveMore = true;
  /** @type {Map<string, string[]>} */
  #lookers = new Map();
  /** @type {Set<string>} */
  #stale = new Set();
  /** @type {Set<string>} */
  #unsure = new Set();

  /** @param {World} world */
  constructor(world) {
    const { root, requests, t, platform, language } = world;
    const { site = '', queue = '', key, author, epoch = '', seq } = root.dataset;
    // by its name: the member of the data set would be shortened as one of ours
    const address = root.getAttribute('data-cards') ?? '';
    this.root = root;
    this.requests = requests;
    this.t = t;
    this.platform = platform;
    this.filter = { key: key || undefined, author: author || undefined };
    this.cards = new Cards(/** @type {HTMLElement} */ (root.querySelector('[data-items]')), address);
    this.queue = new Queue(queue, Boolean(key || author));
    this.counts = new CountLine(root, requests, language, platform);
    this.status = new Status(/** @type {HTMLElement} */ (root.querySelector('[data-said]')));
    this.undo = new UndoStack(world.session, site);
    this.acts = new Acts(this);
    this.log = new DeskLog({ epoch, seq: Number(seq) }, (item) => this.#take(item));
    this.stream = connection({
      socket: world.socket,
      log: () => this.log,
      received: (message) => this.#receive(message),
      reset: () => void this.#resync().catch(() => this.platform.setTimeout(() => this.stream.start(), FOLD_MS)),
      changed: (state) => this.#setState(state),
      ended: () => this.end(),
      platform,
    });
    this.looking = new Looking((message) => this.stream.send(message), platform);
    this.refreshing = new Coalesced(() => this.#refreshStale(), PAUSE_MS, platform);
    this.sorting = new Coalesced(() => this.#sortUnsure(), PAUSE_MS, platform);
    for (const card of this.cards.all) this.#list(card);
  }

  /** Something waits that did not before. @type {() => void} */
  onarrival = () => {};

  // ---- where somebody is ----------------------------------------------------------------------------------

  /** The card that keys are about. */
  get current() {
    return this.#current?.isConnected ? this.#current : null;
  }

  /** @param {HTMLElement | null} card */
  set current(card) {
    if (card === this.#current) return;
    this.#current?.classList.remove('desk-current');
    card?.classList.add('desk-current');
    this.#current = card;
    this.tools?.setCurrent(card);
    this.looking.at(card?.dataset.id ?? null);
  }

  /** @param {HTMLElement | null} card */
  focus(card) {
    this.current = card;
    if (!card) return;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: 'nearest' });
  }

  /** @param {1 | -1} step */
  move(step) {
    const { all } = this.cards;
    const at = this.current ? all.indexOf(this.current) : -1;
    this.focus(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))] ?? null);
  }

  /** How many are chosen has changed. */
  chosen() {
    for (const card of this.cards.all) {
      const box = card.querySelector('[data-pick]');
      if (box instanceof HTMLInputElement) box.checked = this.selection.has(card.dataset.id ?? '');
    }
    this.tools?.setChosen();
  }

  // ---- what happens elsewhere -----------------------------------------------------------------------------

  /** What is no event. @param {DeskMessage} message */
  #receive({ type, people = [] }) {
    if (type === 'hello') this.looking.anew();
    if (type === 'looking') this.#lookers = byComment(people);
    if (type === 'hello') this.#lookers = new Map();
    this.#markLookers();
  }

  #markLookers() {
    for (const card of this.cards.all) {
      const names = this.#lookers.get(card.dataset.id ?? '') ?? [];
      const [name = ''] = names;
      markLooking(card, names.length > 1 ? this.t('looking_several', { n: names.length }) : name && this.t('looking', { name }));
    }
  }

  /** @param {DeskItem} item */
  #take(item) {
    void this.counts.ask().catch(() => {});
    this.note(item);
  }

  /** @param {DeskItem} item */
  note(item) {
    const { comment_id: id } = item;
    switch (this.queue.note(item)) {
      case 'changed':
        this.#stale.add(id);
        return void this.refreshing.ask().catch(() => {});
      case 'unsure':
        this.#unsure.add(id);
        return void this.sorting.ask().catch(() => {});
      case 'left':
        return this.#decidedElsewhere(item);
      case 'fresh':
        this.onarrival();
        return this.showNew();
      case 'gone':
        this.showNew();
    }
  }

  showNew() {
    this.tools?.setNew(this.queue.fresh.size);
  }

  /** @param {DeskItem} item */
  #decidedElsewhere({ comment_id, by, decision, queue }) {
    const { t } = this;
    const card = this.cards.of(comment_id);
    if (!card) return this.queue.leave(comment_id);
    if (decision === 'deleted') this.mark(card, t('by_deleted'), true);
    else if (by && decision && OTHERS_DID.has(decision)) this.mark(card, t(`by_${decision}`, { name: by }), true);
    else this.mark(card, queue ? t('moved') : t('gone'), true);
  }

  /** Writes on a card what came of it; where it is over it folds. @param {HTMLElement} card @param {string} sentence @param {boolean} isOver */
  mark(card, sentence, isOver) {
    markDecided(card, sentence, isOver);
    if (!isOver) return;
    const id = card.dataset.id ?? '';
    this.queue.leave(id);
    this.selection.drop(id);
    this.chosen();
    this.platform.setTimeout(() => card.isConnected && !this.queue.listed.has(id) && this.cards.fold(card, () => void this.refill().catch(() => {})), FOLD_MS);
  }

  /** The cards of these anew. @param {string[]} ids */
  async refresh(ids) {
    if (!ids.length) return;
    const found = await this.cards.fetch(ids).catch(() => []);
    for (const card of found) this.#replace(card);
  }

  async #refreshStale() {
    const ids = [...this.#stale];
    this.#stale.clear();
    await this.refresh(ids);
  }

  /** @param {HTMLElement} card */
  #replace(card) {
    const old = this.cards.of(card.dataset.id ?? '');
    if (!old) return;
    const wasCurrent = old === this.current;
    this.cards.replace(old, card);
    this.#list(card);
    this.#markLookers();
    this.selection.refresh(targetOf(card));
    if (wasCurrent) this.current = card;
  }

  async #sortUnsure() {
    const ids = [...this.#unsure];
    this.#unsure.clear();
    const { key, author } = this.filter;
    for (const { dataset } of await this.cards.fetch(ids)) {
      if ((!key || dataset.key === key) && (!author || dataset.author === author) && dataset.id) this.queue.add(dataset.id);
    }
    this.showNew();
  }

  // ---- what the list holds --------------------------------------------------------------------------------

  /** @param {HTMLElement} card */
  #list(card) {
    const { comment_id, version } = targetOf(card);
    this.queue.show(comment_id, version);
    this.root.querySelector('[data-nothing]')?.remove();
  }

  /** All comments have no events: what is new there, and what has changed, is asked for. */
  async poll() {
    const { items } = await this.requests.queue({ queue: 'all', ...this.filter });
    const changed = items.filter(({ comment, version }) => version > (this.queue.listed.get(comment.id) ?? Infinity));
    // below the first that is shown there may be what a deletion has moved up, which is not new
    const first = items.findIndex(({ comment }) => this.queue.listed.has(comment.id));
    const fresh = items.slice(0, first < 0 ? undefined : first).filter(({ comment, version }) => !this.queue.knows(comment.id, version));
    for (const { comment } of fresh) this.queue.add(comment.id);
    if (fresh.length) this.onarrival();
    this.showNew();
    await this.refresh(changed.map(({ comment }) => comment.id));
    await this.counts.ask();
  }

  /** Those behind the button: the newest first where all are shown, else at the end, what is urgent first. */
  async showFresh() {
    const ids = [...this.queue.fresh];
    const found = (await this.cards.fetch(ids)).filter(({ dataset }) => this.queue.name === 'all' || dataset.queue === this.queue.name);
    for (const id of ids) this.queue.leave(id);
    found.sort((a, b) => Number(a.dataset.rank) - Number(b.dataset.rank));
    this.#add(found, this.queue.name === 'all' ? (this.cards.all[0] ?? null) : null);
    this.showNew();
    this.focus(found[0] ?? this.current);
  }

  /** Asks for more where little is left. */
  async refill() {
    const { queue } = this;
    if (!this.#mayHaveMore || queue.name === 'all' || queue.listed.size >= FEW) return;
    const { items } = await this.requests.queue({ queue: queue.name, ...this.filter, limit: MOST_ITEMS });
    const ids = items.filter((item) => !queue.knows(item.comment.id, item.version)).map((item) => item.comment.id);
    this.#mayHaveMore = items.length === MOST_ITEMS;
    if (ids.length) this.#add((await this.cards.fetch(ids)).filter((card) => !this.cards.of(card.dataset.id ?? '')), null);
    this.showNew();
    if (ids.length && !this.current) this.focus(this.cards.all[0] ?? null);
  }

  /** @param {HTMLElement[]} cards @param {Element | null} before */
  #add(cards, before) {
    for (const card of cards) this.#list(card);
    this.cards.insert(cards, before);
    this.#markLookers();
  }

  /** What was taken back is here again, and has the focus. @param {string[]} ids */
  async bringBack(ids) {
    const found = await this.cards.fetch(ids.slice(0, MOST_ITEMS)).catch(() => []);
    for (const card of found.filter(({ dataset }) => this.cards.of(dataset.id ?? ''))) this.#replace(card);
    const back = found.filter(({ dataset }) => dataset.queue === this.queue.name && !this.cards.of(dataset.id ?? ''));
    this.#add(back, this.current ?? this.cards.all[0] ?? null);
    this.showNew();
    if (back[0]) this.focus(back[0]);
  }

  /** After a reset: all that is shown is compared with what is there, and what came meanwhile waits behind the button. */
  async #resync() {
    const { epoch, seq } = await this.requests.counts();
    this.log.cursor = { epoch, seq };
    const { queue } = this;
    const shown = [...queue.listed.keys()];
    const [there, { items }] = await Promise.all([
      this.requests.items(shown),
      queue.name === 'all' ? { items: [] } : this.requests.queue({ queue: queue.name, ...this.filter, limit: MOST_ITEMS }),
    ]);
    const byId = new Map(there.map((item) => [item.comment.id, item]));
    for (const comment_id of shown) {
      const item = byId.get(comment_id);
      this.note({ comment_id, version: item?.version ?? Infinity, queue: item?.queue ?? null, state: '', by: null, decision: null });
    }
    for (const item of items) if (!queue.knows(item.comment.id, item.version)) queue.add(item.comment.id);
    this.showNew();
    void this.counts.ask().catch(() => {});
    this.stream.start();
  }

  // ---- the connection -------------------------------------------------------------------------------------

  /** @param {State} state */
  #setState(state) {
    this.isOffline = state === 'offline';
    if (!this.hasEnded) this.tools?.setTrouble(state === 'waiting' || state === 'offline' ? 'lost' : '');
  }

  /** The session is over: nothing is done any more. */
  end() {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.stream.close();
    this.tools?.setTrouble('ended');
  }
}
