/**
 * What the reader says and does: the composer, replies, edits, votes, and comments on their way.
 *
 * @import { Session } from './session.js'
 * @import { Comment, Discussion, Posted } from './wire.js'
 * @import { Entry, Stage } from './outbox.js'
 * @import { Desk } from './card.js'
 */
import { Trouble } from './api.js';
import { Composer } from './composer.js';
import { toSource } from './document.js';
import { h } from './dom.js';
import { browser } from './follow.js';
import { Outbox } from './outbox.js';
import { bringIntoView } from './scroll.js';

const WRITING_MS = 3000;
const STILL_WRITING_MS = 6000;

/** @implements {Desk} */
export class Writer {
  /** @type {Discussion['mode'] | undefined} */
  #mode;
  #wroteAt = 0;
  /** @type {Composer | null} */
  #composer = null;
  /** The reply or edit that is open. @type {{composer: Composer, close: () => void} | null} */
  #open = null;
  /** Comments that may be one's own and whose answer has not come. @type {Set<string>} */
  #heldBack = new Set();

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.say = session.say;
    this.clock = session.clock;
    const { server, site, key } = session.settings.place;
    this.nameItem = `tertulia:name:${server}:${site}`;
    this.draftItem = `tertulia:draft:${server}:${site}:${key}:`;
    const name = `tertulia:outbox:${server}:${site}:${key}`;
    this.outbox = new Outbox({
      storage: session.storage,
      name,
      send: (entry) => session.api.post(entry, entry.key),
      changed: (entry, stage, result) => this.#entryChanged(entry, stage, result),
      alone: navigator.locks && ((work) => navigator.locks.request(name, work)),
      world: browser,
    });
  }

  /** @param {{body?: string, name?: string, isFocused?: boolean}} typed */
  open({ body, name, isFocused }) {
    const { session } = this;
    this.setMode(session.thread.discussion.mode);
    if (body) this.#composer?.fill(body, name);
    if (isFocused) this.#composer?.text.focus();
    addEventListener('online', () => this.outbox.flush(), { signal: session.signal });
    addEventListener('pagehide', () => this.#composer?.saveDraft(), { signal: session.signal });
    this.outbox.start();
  }

  close() {
    this.#composer?.saveDraft();
    this.outbox.close();
  }

  get isWriting() {
    return Date.now() - this.#wroteAt < STILL_WRITING_MS;
  }

  // ---- the composer -------------------------------------------------------------------------------------

  /** @param {Discussion['mode']} mode @returns {boolean} Whether it is another one. */
  setMode(mode) {
    if (mode === this.#mode) return false;
    this.#mode = mode;
    const { compose } = this.session.view;
    const heading = h('h2', { id: 'compose', part: 'heading' }, this.say('compose'));
    if (mode === 'closed') {
      this.#composer?.saveDraft();
      this.#composer = null;
      compose.replaceChildren(heading, h('p', { part: 'notice' }, this.say('closed')));
    } else if (this.#composer) {
      this.#composer.setNote(this.#note());
    } else {
      this.#composer = this.#compose(null);
      compose.replaceChildren(heading, this.#composer.form);
    }
    return true;
  }

  #note() {
    return this.#mode === 'held' ? this.say('willWait') : '';
  }

  /** @param {Comment | null} parent @param {() => void} [cancel] */
  #compose(parent, cancel) {
    const { storage, thread } = this.session;
    const parent_id = parent?.id ?? null;
    return new Composer({
      say: this.say,
      storage,
      id: parent_id ?? 'new',
      submit: parent ? 'sendReply' : 'send',
      limit: thread.limits.text_length,
      nameLimit: thread.limits.name_length,
      nameItem: this.nameItem,
      draftItem: this.draftItem + (parent_id ?? ''),
      note: this.#note(),
      typing: () => this.#typing(),
      send: (said) => {
        if (parent) this.#open?.close();
        this.outbox.add({ ...said, parent_id });
      },
      cancel,
    });
  }

  #typing() {
    if (Date.now() - this.#wroteAt < WRITING_MS) return;
    this.#wroteAt = Date.now();
    this.session.stream.send({ type: 'writing' });
  }

  // ---- a desk for cards ---------------------------------------------------------------------------------

  now() {
    return this.session.now();
  }

  canVote() {
    return this.session.api.token !== null;
  }

  canReply() {
    return this.#mode !== 'closed';
  }

  /** @param {Comment} comment */
  isOwn({ author, body }) {
    return body !== null && author !== null && author.id === this.session.thread.viewer?.id;
  }

  /** @param {Comment} comment */
  canEdit(comment) {
    const age = this.now() - Date.parse(comment.created_at);
    return this.isOwn(comment) && age < this.session.thread.limits.edit_seconds * 1000;
  }

  /** @param {string} id */
  vote(id) {
    return this.session.thread.votes[id] ?? 0;
  }

  /** Below the third level the indentation no longer says it. @param {Comment} comment */
  answers({ id, parent_id }) {
    const { thread } = this.session;
    if (!parent_id || thread.ancestors(id).length <= thread.limits.depth) return undefined;
    return thread.comments.get(parent_id)?.author?.name;
  }

  /** @param {Parameters<Desk['act']>[0]} what @param {string} id */
  act(what, id) {
    if (what === 'reply' || what === 'edit') return this.#openForm(what, id);
    if (what === 'link') return this.#copyLink(id);
    const work = what === 'remove' ? this.#remove(id) : this.#vote(id, what === 'up' ? 1 : -1);
    work.catch((error) => this.#complain(error));
  }

  /** @param {'reply' | 'edit'} what @param {string} id */
  #openForm(what, id) {
    this.#open?.close();
    const card = this.session.list.cards.get(id);
    if (!card) return;
    const opener = what === 'reply' ? card.reply : card.edit;
    const close = () => {
      this.#open = null;
      card.form.replaceChildren();
    };
    const cancel = () => {
      close();
      opener?.focus();
    };
    const composer = what === 'reply' ? this.#compose(card.comment, cancel) : this.#editor(card.comment, close, cancel);
    card.form.replaceChildren(composer.form);
    this.#open = { composer, close };
    (composer.name.isConnected && !composer.name.value ? composer.name : composer.text).focus();
    bringIntoView(composer.form, 'nearest');
  }

  /** @param {Comment} comment @param {() => void} close @param {() => void} cancel */
  #editor(comment, close, cancel) {
    const { api, thread } = this.session;
    const composer = new Composer({
      say: this.say,
      storage: this.session.storage,
      id: `edit-${comment.id}`,
      submit: 'save',
      limit: thread.limits.text_length,
      value: toSource(comment.body ?? []),
      send: async ({ body }) => {
        composer.submit.disabled = true;
        try {
          const changed = await api.edit(comment.id, body);
          this.#settle(comment.id, changed.comment, changed.seq);
          close();
          this.session.list.cards.get(comment.id)?.element.focus();
        } catch (error) {
          composer.showError(this.#sentence(error), composer.text);
        } finally {
          composer.submit.disabled = false;
        }
      },
      cancel,
    });
    return composer;
  }

  /** @param {string} id */
  async #remove(id) {
    const { comment, seq } = await this.session.api.remove(id);
    this.#settle(id, comment, seq);
    this.session.list.cards.get(id)?.element.focus();
  }

  /** @param {string} id @param {number} value */
  async #vote(id, value) {
    const voted = await this.session.api.vote(id, this.vote(id) === value ? 0 : value);
    this.session.thread.votes[id] = voted.value;
    this.#settle(id, { votes: voted.votes }, voted.seq);
  }

  /** @param {string} id @param {Partial<Comment>} values @param {number} [seq] */
  #settle(id, values, seq) {
    this.session.thread.settle(id, values, seq);
    this.session.list.update(id);
  }

  /** @param {string} id */
  #copyLink(id) {
    const link = `${location.href.split('#')[0]}#comment-${id}`;
    history.replaceState(history.state, '', link);
    navigator.clipboard?.writeText(link).then(() => this.session.view.announcer.say(this.say('copied')), () => {});
  }

  /** @param {unknown} error */
  #sentence(error) {
    return (error instanceof Trouble && error.detail) || this.say('failed');
  }

  /** @param {unknown} error */
  #complain(error) {
    if (!this.session.signal.aborted) this.session.view.announcer.say(this.#sentence(error));
  }

  // ---- comments on their way ----------------------------------------------------------------------------

  /** Whether an arriving comment may be one that is on its way: then its answer decides. @param {Comment} comment */
  holdsBack({ id, author }) {
    const { viewer } = this.session.thread;
    const isMine = this.outbox.entries.some((entry) =>
      entry.code === undefined && (viewer ? author?.id === viewer.id : author?.name === entry.name));
    if (isMine) this.#heldBack.add(id);
    return isMine;
  }

  /** After the list was made anew. */
  showEntries() {
    for (const entry of this.outbox.entries) this.#showEntry(entry, entry.code === undefined ? 'queued' : 'failed');
  }

  /** @param {Parameters<Desk['actEntry']>[0]} what @param {Entry} entry */
  actEntry(what, entry) {
    if (what === 'retry') this.outbox.flush();
    else this.outbox.discard(entry.key);
    if (what === 'edit') this.#takeBack(entry);
  }

  /** The text returns to the form that it came from. @param {Entry} entry */
  #takeBack(entry) {
    if (entry.parent_id) this.act('reply', entry.parent_id);
    if (entry.parent_id && this.#open) this.#open.composer.fill(entry.body, entry.name);
    else this.#composer?.fill(entry.body, entry.name);
  }

  /** @param {Entry} entry @param {Stage} stage @param {Posted | Trouble} [result] */
  #entryChanged(entry, stage, result) {
    const { session } = this;
    if (stage === 'done') this.#posted(entry, /** @type {Posted} */ (result));
    else if (stage === 'gone') session.list.removeEntry(entry.key);
    else this.#showEntry(entry, stage);
    if (result instanceof Trouble) session.emit('post-error', { status: result.status, code: result.code });
    if (stage === 'done' || stage === 'gone' || stage === 'failed') this.#letGo();
  }

  /** @param {Entry} entry @param {'sending' | 'queued' | 'failed'} stage */
  #showEntry(entry, stage) {
    const { list, thread } = this.session;
    const isNew = !list.cards.has(entry.key);
    const card = list.cards.get(entry.key) ?? list.addEntry(entry.key, asComment(entry, thread.viewer?.id ?? ''));
    card.setStage(stage, entry);
    if (isNew && stage === 'sending') bringIntoView(card.element, 'nearest');
  }

  /** @param {Entry} entry @param {Posted} posted */
  #posted(entry, { comment }) {
    const { session } = this;
    const { thread, list, view } = session;
    const { author } = comment;
    if (author && thread.viewer?.id !== author.id) thread.viewer = { ...author, moderator: false };
    thread.adopt(comment);
    this.#heldBack.delete(comment.id);
    session.arrivals.drop(comment.id);
    list.settleEntry(entry.key, thread.comments.get(comment.id) ?? comment);
    list.updateAll();
    view.announcer.say(this.say(comment.state === 'held' ? 'heldNow' : 'posted'));
    session.emit('posted', { comment });
  }

  #letGo() {
    for (const id of this.#heldBack) {
      const comment = this.session.thread.comments.get(id);
      if (comment && this.holdsBack(comment)) continue;
      this.#heldBack.delete(id);
      if (comment && !this.session.list.cards.has(id)) this.session.arrivals.add(id);
    }
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
