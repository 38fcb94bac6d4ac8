/**
 * What is needed once the comments are there: how what arrives appears, and what the reader says and does. Each has a
 * module of its own; here it is decided which.
 *
 *     Desk ── act ──▶ Actions ──▶ Writing ──▶ Composer ──▶ Sending ──▶ Outbox ──▶ server
 *                        ├──▶ Removing, Reporting, votes
 *                        ├──▶ Menu, Finding, More, Visit
 *     Session ── arrived ┴──▶ Arrivals, Announcer
 *
 * @import { Trouble } from '../live/api.js'
 * @import { Session } from '../session.js'
 * @import { Act } from '../reading/desk.js'
 * @import { Comment } from '../live/wire.js'
 */
import { Announcer } from './announcer.js';
import { Arrivals } from './arrivals.js';
import { copy } from './clipboard.js';
import * as commands from './commands.js';
import { eventsTransport, pollTransport } from '../live/fallbacks.js';
import { Finding } from './finding.js';
import { listenToKeys } from './keys.js';
import { elementId } from '../page/names.js';
import { More } from './more.js';
import { toggleMenu } from './menu.js';
import { settle } from './pages.js';
import { Removing } from './removing.js';
import { openReport } from './reporting.js';
import { Sending } from './sending.js';
import { keeping } from './steady.js';
import { Visit } from './visit.js';
import { Writing } from './writing.js';

export class Actions {
  /** Ways to listen that few need. */
  events = eventsTransport;
  poll = pollTransport;

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.say = session.say;
    this.announcer = new Announcer(this.session);
    this.arrivals = new Arrivals(this);
    this.sending = new Sending(this);
    this.writing = new Writing(this);
    this.removing = new Removing(this);
    this.visit = new Visit(this);
    this.more = new More(this);
    this.finding = new Finding(this);
    listenToKeys(session);
    this.visit.mark(session.thread.comments.keys());
    this.sending.start();
  }

  close() {
    this.writing.close();
    this.removing.close();
    this.visit.close();
    this.sending.close();
    this.announcer.close();
  }

  get isWriting() {
    return this.writing.isTyping;
  }

  /** @param {Comment} comment */
  arrived(comment) {
    if (!this.sending.holdsBack(comment)) this.arrivals.add(comment.id);
  }

  /** What is read stays where it is meanwhile. @param {() => void} change */
  keeping(change) {
    keeping(this.session.list, change);
  }

  /** The comments were read anew; a form that is open goes on. @param {() => void} replace */
  async replaceList(replace) {
    const { list } = this.session.view;
    // so that what stands below does not come into view before all is there again
    list.style.minBlockSize = `${list.offsetHeight}px`;
    await this.more.again(() => {
      this.writing.keepForm(replace);
      this.arrivals.clear();
      this.sending.showAll();
      this.removing.showAll();
      this.writing.viewerChanged();
      this.visit.restart();
    });
    await this.finding.again();
    list.style.minBlockSize = '';
  }

  /** @param {Act | 'quote' | 'link' | 'report'} what @param {string} id */
  act(what, id) {
    const card = this.session.list.cards.get(id);
    if (!card) return;
    if (what === 'reply' || what === 'quote') this.writing.reply(card, what === 'quote');
    else if (what === 'edit') this.writing.edit(card);
    else if (what === 'remove') this.removing.remove(card);
    else if (what === 'more') toggleMenu(card, this);
    else if (what === 'link') this.#copyLink(id);
    else if (what === 'report') openReport(card, this);
    else this.#vote(id, what === 'up' ? 1 : -1).catch((error) => this.complain(error));
  }

  /** @param {string} id @param {number} value */
  async #vote(id, value) {
    const { api, desk, thread } = this.session;
    const voted = await commands.vote(api, id, desk.vote(id) === value ? 0 : value);
    thread.votes[id] = voted.value;
    this.settle(id, { votes: voted.votes }, voted.seq);
  }

  /** What the server answered to a change. @param {string} id @param {Partial<Comment>} values @param {number} [seq] */
  settle(id, values, seq) {
    settle(this.session.thread, id, values, seq);
    this.session.list.update(id);
  }

  /** @param {string} id */
  async #copyLink(id) {
    const link = `${location.href.split('#')[0]}#${elementId(id)}`;
    history.replaceState(history.state, '', link);
    if (await copy(link)) this.announce(this.say('copied'));
  }

  /** @param {string} sentence */
  announce(sentence) {
    this.announcer.say(sentence);
  }

  /** What went wrong, as a sentence. @param {unknown} error */
  sentence(error) {
    return /** @type {Trouble} */ (error).detail || this.say('failed');
  }

  /** @param {unknown} error */
  complain(error) {
    if (this.session.signal.aborted) return;
    this.announce(this.sentence(error));
    const { status, code } = /** @type {Trouble} */ (error);
    this.session.emit('error', { error: { status, code } });
  }
}
