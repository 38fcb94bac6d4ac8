/**
 * What happens once the comments are there: the stream's messages change the thread, and the page shows what changed.
 *
 *     Stream ──▶ Thread ── changes ──▶ Live ──▶ controllers ──▶ View, List
 *
 * @import { Comment, Cursor, Message } from './live/wire.js'
 * @import { Change } from './live/thread.js'
 * @import { Mode, Transport } from './live/transports.js'
 * @import { Discussion } from './discussion.js'
 */
import { Stream } from './live/stream.js';
import { compression, laterTransport, socketTransport } from './live/transports.js';
import { browser } from './page/browser.js';

/** Others learn at most this often that the reader is writing, and for this long. */
const WRITING_MS = 3000;
const STILL_WRITING_MS = 6000;

export class Live {
  #discussion;
  #wroteAt = 0;
  /** As the server told, without those who have posted since; it forgets them some seconds later. */
  #writing = 0;
  /** Comments that arrived before the controllers were there. @type {Change[]} */
  #early = [];

  /** @param {Discussion} discussion */
  constructor(discussion) {
    this.#discussion = discussion;
    this.transports = transportsOf(discussion);
    this.stream = this.#openStream(discussion);
  }

  /** The stream on the browser's clock and network, closed and opened as the page goes and comes. @param {Discussion} discussion */
  #openStream({ api, signal }) {
    const d = this.#discussion;
    const stream = new Stream({
      transports: this.transports,
      thread: () => d.thread,
      received: (message, changes) => this.#received(message, changes),
      reset: () => d.loader.reload(),
      probe: () => api.events(d.thread.cursor).then(() => true, () => false),
      changed: (state) => {
        d.view?.setState(state);
        if (state !== 'live') d.view?.setWriting((this.#writing = 0));
        d.emit('state', { state });
      },
      platform: browser,
    });
    document.addEventListener('visibilitychange', () => (document.hidden ? stream.hidden() : stream.visible()), { signal });
    for (const type of /** @type {const} */ (['online', 'offline'])) addEventListener(type, () => stream[type](), { signal });
    addEventListener('pagehide', () => stream.away(), { signal });
    addEventListener('pageshow', (event) => event.persisted && stream.visible(), { signal });
    return stream;
  }

  /** @param {Message} message @param {Change[]} changes */
  #received({ readers, writing = this.#writing, events }, changes) {
    const { view, thread } = this.#discussion;
    if (readers !== undefined) view.setReaders(readers);
    for (const { kind, comment } of events ?? []) if (kind === 'comment.created' && comment?.author?.id !== thread.viewer?.id) writing--;
    this.#writing = writing = Math.max(0, writing);
    view.setWriting(writing - Number(Date.now() - this.#wroteAt < STILL_WRITING_MS));
    if (changes.length) this.changed(changes);
  }

  /** The reader is writing, which others may see. */
  typing() {
    if (Date.now() - this.#wroteAt < WRITING_MS) return;
    this.#wroteAt = Date.now();
    this.stream.send({ type: 'writing' });
  }

  /** What the thread changed, in one pass. @param {Change[]} changes */
  changed(changes) {
    for (const change of changes) if (change.type === 'added') this.#added(change);
    this.refresh(changes);
  }

  /** @param {Extract<Change, {id: string}>} change */
  #added(change) {
    const d = this.#discussion;
    const comment = /** @type {Comment} */ (d.thread.comments.get(change.id));
    d.emit('comment', { comment });
    if (d.actions) return;
    this.#early.push(change);
    d.loadActions().catch(() => {});
  }

  /** Shows what changed, and what stands around the comments. @param {Change[]} [changes] */
  refresh(changes = []) {
    const { actions, list, view } = this.#discussion;
    if (actions) actions.changed(changes);
    else view.refresh(list, changes);
  }

  /** What arrived so far, which no controller knows. */
  takeEarly() {
    return this.#early.splice(0);
  }

  /** Holds arrivals back; a page that was opened paused has no connection until it goes on. @param {boolean} isPaused */
  pause(isPaused) {
    const d = this.#discussion;
    d.isPaused = isPaused;
    if (d.phase !== 'ready') return;
    d.view.setLive(!isPaused);
    this.refresh();
    if (!isPaused) this.stream.start();
  }
}

/** The second file replaces them where windows share a connection. @param {Discussion} discussion @returns {Record<Mode, Transport>} */
function transportsOf(discussion) {
  const { api, storage } = discussion;
  /** @param {Cursor} cursor @param {number} [compress] */
  const url = ({ epoch, seq }, compress) => api.here('/live', { epoch, after: seq, compress }).replace(/^http/, 'ws');
  const later = (/** @type {Mode} */ mode) => laterTransport(async () => (await discussion.loadActions()).transport(mode));
  return { socket: socketTransport(url, WebSocket, compression(storage)), events: later('events'), poll: later('poll') };
}
