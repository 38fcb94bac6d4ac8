/**
 * What is needed once the comments are there: how what arrives appears, and what the reader says and does. Each has a
 * module of its own; here it is decided which.
 *
 *     CardContext ── dispatch ──▶ Actions ──▶ Forms ──▶ Composer ──▶ PostQueueView ──▶ PostQueue ──▶ server
 *                        ├──▶ Deletion, reportForm, votes
 *                        ├──▶ Menu, Search, Pagination, Unread
 *     Session ── arrived ┴──▶ Arrivals, Announcer
 *
 * @import { ApiError } from '../live/api.js'
 * @import { Session } from '../session.js'
 * @import { Command } from '../reading/cardContext.js'
 * @import { Comment } from '../live/wire.js'
 */
import { Announcer } from './announcer.js';
import { Arrivals } from './browse/arrivals.js';
import { copy } from './comment/clipboard.js';
import * as commands from './commands.js';
import { eventsTransport, pollTransport } from '../live/fallbacks.js';
import { Search } from './browse/search.js';
import { listenToKeys } from './browse/keyboard.js';
import { elementId } from '../page/names.js';
import { Pagination } from './browse/pagination.js';
import { toggleMenu } from './comment/menu.js';
import { applyAnswer } from './browse/threadPages.js';
import { Deletion } from './comment/deletion.js';
import { openReportForm } from './comment/reportForm.js';
import { PostQueueView } from './posting/postQueueView.js';
import { preserveScroll } from './browse/scrollAnchor.js';
import { Unread } from './browse/unread.js';
import { Forms } from './compose/forms.js';

export class Actions {
  /** Ways to listen that few need. */
  events = eventsTransport;
  poll = pollTransport;

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.t = session.t;
    this.announcer = new Announcer(this.session);
    this.arrivals = new Arrivals(this);
    this.postQueueView = new PostQueueView(this);
    this.forms = new Forms(this);
    this.deletion = new Deletion(this);
    this.unread = new Unread(this);
    this.pagination = new Pagination(this);
    this.search = new Search(this);
    listenToKeys(session);
    this.unread.mark(session.thread.comments.keys());
    this.postQueueView.start();
  }

  close() {
    this.forms.close();
    this.deletion.close();
    this.unread.close();
    this.postQueueView.close();
    this.announcer.close();
  }

  get isWriting() {
    return this.forms.isTyping;
  }

  /** @param {Comment} comment */
  arrived(comment) {
    if (!this.postQueueView.holdsBack(comment)) this.arrivals.add(comment.id);
  }

  /** What is read stays where it is meanwhile. @param {() => void} change */
  preserveScroll(change) {
    preserveScroll(this.session.list, change);
  }

  /** The comments were read anew; a form that is open goes on. @param {() => void} replace */
  async replaceList(replace) {
    const { list } = this.session.view;
    // so that what stands below does not come into view before all is there again
    list.style.minBlockSize = `${list.offsetHeight}px`;
    await this.pagination.reload(() => {
      this.forms.keepForm(replace);
      this.arrivals.clear();
      this.postQueueView.showAll();
      this.deletion.showAll();
      this.forms.viewerChanged();
      this.unread.restart();
    });
    await this.search.again();
    list.style.minBlockSize = '';
  }

  /** @param {Command | 'quote' | 'link' | 'report'} what @param {string} id */
  dispatch(what, id) {
    const card = this.session.list.cards.get(id);
    if (!card) return;
    if (what === 'reply' || what === 'quote') this.forms.reply(card, what === 'quote');
    else if (what === 'edit') this.forms.edit(card);
    else if (what === 'remove') this.deletion.remove(card);
    else if (what === 'more') toggleMenu(card, this);
    else if (what === 'link') this.#copyLink(id);
    else if (what === 'report') openReportForm(card, this);
    else this.#vote(id, what === 'up' ? 1 : -1).catch((error) => this.reportError(error));
  }

  /** @param {string} id @param {number} value */
  async #vote(id, value) {
    const { api, cardContext, thread } = this.session;
    const voted = await commands.vote(api, id, cardContext.vote(id) === value ? 0 : value);
    thread.votes[id] = voted.value;
    this.applyAnswer(id, { votes: voted.votes }, voted.seq);
  }

  /** What the server answered to a change. @param {string} id @param {Partial<Comment>} values @param {number} [seq] */
  applyAnswer(id, values, seq) {
    applyAnswer(this.session.thread, id, values, seq);
    this.session.list.update(id);
  }

  /** @param {string} id */
  async #copyLink(id) {
    const link = `${location.href.split('#')[0]}#${elementId(id)}`;
    history.replaceState(history.state, '', link);
    if (await copy(link)) this.announce(this.t('copied'));
  }

  /** @param {string} sentence */
  announce(sentence) {
    this.announcer.announce(sentence);
  }

  /** What went wrong, as a sentence. @param {unknown} error */
  sentence(error) {
    return /** @type {ApiError} */ (error).detail || this.t('failed');
  }

  /** @param {unknown} error */
  reportError(error) {
    if (this.session.signal.aborted) return;
    this.announce(this.sentence(error));
    const { status, code } = /** @type {ApiError} */ (error);
    this.session.emit('error', { error: { status, code } });
  }
}
