/**
 * Comments on their way, as the page shows them.
 *
 * @import { Trouble } from '../live/api.js'
 * @import { Comment, Posted } from '../live/wire.js'
 * @import { Entry, Said, Stage } from './outbox.js'
 * @import { Card } from '../reading/card.js'
 * @import { Actions } from './actions.js'
 */
import * as commands from './commands.js';
import { addEntry, removeEntry, settleEntry } from './entries.js';
import { Outbox } from './outbox.js';
import { adopt } from './pages.js';
import { showStage } from './stage.js';
import { browser } from '../page/browser.js';
import { button, setAttribute } from '../page/dom.js';
import { bringIntoView } from './scroll.js';

const REFUSED = /** @type {const} */ (['edit', 'discard']);
const WAITING = /** @type {const} */ (['send_now', 'discard']);

export class Sending {
  #actions;
  /** Comments that may be one's own and whose answer has not come. @type {Set<string>} */
  #heldBack = new Set();
  /** Those whose delay was told. @type {WeakSet<Entry>} */
  #told = new WeakSet();

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    const { session } = actions;
    const name = session.desk.outboxItem;
    this.outbox = new Outbox({
      storage: session.storage,
      name,
      send: (entry) => commands.post(commands.lasting(session.api), entry, entry.key),
      changed: (entry, stage, result) => this.#changed(entry, stage, result),
      // where the storage is blocked, so are locks
      alone: navigator.locks && ((work) => navigator.locks.request(name, work).catch(work)),
      world: browser,
    });
    addEventListener('online', () => this.outbox.flush(), { signal: session.signal });
  }

  start() {
    this.outbox.start();
  }

  close() {
    this.outbox.close();
  }

  /** @param {Said} said @returns {boolean} Whether the page let it be sent. */
  add(said) {
    const { session } = this.#actions;
    if (!session.emit('post', { comment: said }, true)) return false;
    this.outbox.add(said);
    return true;
  }

  /** Whether an arriving comment may be one that is on its way: then its answer decides. @param {Comment} comment */
  holdsBack({ id, author }) {
    const { viewer } = this.#actions.session.thread;
    const isMine = this.outbox.entries.some((entry) =>
      entry.code === undefined && (viewer ? author?.id === viewer.id : author?.name === entry.name));
    if (isMine) this.#heldBack.add(id);
    return isMine;
  }

  /** After the list was made anew. */
  showAll() {
    for (const entry of this.outbox.entries) this.#show(entry, entry.code === undefined ? 'queued' : 'failed');
  }

  /** @param {Entry} entry @param {Stage} stage @param {Posted | Trouble} [result] */
  #changed(entry, stage, result) {
    const { session } = this.#actions;
    if (stage === 'done') this.#posted(entry, /** @type {Posted} */ (result));
    else if (stage === 'gone') removeEntry(session.list, entry.key);
    const trouble = result && 'status' in result ? result : undefined;
    if (stage === 'sending' || stage === 'queued' || stage === 'failed') this.#show(entry, stage, trouble);
    if (trouble) this.#tell(entry, stage, trouble);
    if (stage === 'done' || stage === 'gone' || stage === 'failed') this.#letGo();
  }

  /** @param {Entry} entry @param {Stage} stage @param {Trouble} trouble */
  #tell(entry, stage, trouble) {
    this.#actions.session.emit('post-error', { status: trouble.status, code: trouble.code });
    const isLate = stage === 'queued';
    if (isLate && this.#told.has(entry)) return;
    this.#told.add(entry);
    this.#actions.announce(this.#sentence(isLate ? stage : 'failed', entry, trouble));
  }

  /** @param {Entry} entry @param {'sending' | 'queued' | 'failed'} stage @param {Trouble} [trouble] */
  #show(entry, stage, trouble) {
    const { list, thread } = this.#actions.session;
    const isNew = !list.cards.has(entry.key);
    const card = list.cards.get(entry.key) ?? addEntry(list, asComment(entry, thread.viewer?.id ?? ''));
    this.#setStage(card, stage, entry, trouble);
    if (isNew && stage === 'sending') bringIntoView(card.element, 'nearest');
  }

  /** @param {Card} card @param {'sending' | 'queued' | 'failed'} stage @param {Entry} entry @param {Trouble} [trouble] */
  #setStage(card, stage, entry, trouble) {
    const { say } = this.#actions;
    const isFailed = stage === 'failed';
    card.element.classList.toggle('failed', isFailed);
    card.element.classList.toggle('waiting', !isFailed);
    setAttribute(card.element, 'aria-busy', stage === 'sending' ? 'true' : undefined);
    const acts = isFailed ? REFUSED : stage === 'queued' ? WAITING : [];
    const buttons = acts.map((act) => button(say(act), 'action', () => this.#act(act, entry)));
    showStage(card, this.#sentence(stage, entry, trouble), buttons);
  }

  /** @param {'sending' | 'queued' | 'failed'} stage @param {Entry} entry @param {Trouble} [trouble] */
  #sentence(stage, entry, trouble) {
    const { say } = this.#actions;
    if (stage === 'failed') return `${say('failed')} ${entry.code === 'closed' ? say('closed') : (entry.detail ?? '')}`;
    if (stage === 'queued' && trouble?.status === 429) return say('slow_down', { n: Math.ceil(trouble.retryAfter ?? 1) });
    return say(stage);
  }

  /** @param {'edit' | 'discard' | 'send_now'} what @param {Entry} entry */
  #act(what, entry) {
    if (what === 'send_now') this.outbox.flush();
    else this.outbox.discard(entry.key);
    if (what !== 'send_now') this.#actions.writing.takeBack(entry, what === 'edit');
  }

  /** @param {Entry} entry @param {Posted} posted */
  #posted(entry, { comment }) {
    const { session, say } = this.#actions;
    const { thread, list } = session;
    const { author } = comment;
    const isKnown = author === null || thread.viewer?.id === author.id;
    if (author && thread.viewer?.id !== author.id) thread.viewer = { ...author, moderator: false };
    adopt(thread, comment);
    this.#heldBack.delete(comment.id);
    this.#actions.arrivals.drop(comment.id);
    settleEntry(list, entry.key, thread.comments.get(comment.id) ?? comment);
    if (!isKnown) list.updateAll();
    this.#actions.announce(say(comment.state === 'held' ? 'posted_held' : 'posted'));
    session.emit('posted', { comment });
  }

  #letGo() {
    const { session } = this.#actions;
    for (const id of this.#heldBack) {
      const comment = session.thread.comments.get(id);
      if (comment && this.holdsBack(comment)) continue;
      this.#heldBack.delete(id);
      if (comment && !session.list.cards.has(id)) this.#actions.arrivals.add(id);
    }
    this.#actions.arrivals.count();
  }
}

/** A comment that is on its way, as a card shows it. @param {Entry} entry @param {string} author @returns {Comment} */
function asComment({ key, body, name, parent_id, made_at }, author) {
  const paragraphs = body.split(/\n{2,}/).map((text) => ({
    type: 'paragraph',
    children: text.split('\n').flatMap((line, index) => [...(index ? [{ type: 'break' }] : []), { type: 'text', text: line }]),
  }));
  return {
    id: key, parent_id, author: { id: author, name, badge: null }, body: paragraphs, created_at: made_at,
    edited_at: null, state: 'visible', votes: { up: 0, down: 0 }, reply_count: 0, pinned: false,
  };
}
