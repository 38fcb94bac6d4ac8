/**
 * The state of a discussion: a snapshot, the pages loaded after it, and the events since.
 *
 *     snapshot at seq ──▶ events seq+1, seq+2 … ──▶ state
 *     pages carry no seq ──▶ only comments that are not known yet are taken from them
 *     summary ──▶ newest comments; the first seq that was left out is remembered
 *
 * A page is read by the server at some moment of its request, so the events of that time are applied once more to
 * what it brought; they carry whole values, so the last one of a comment decides, as it did before.
 *
 * Only this file writes the fields of a thread. What the second file alone needs is a function at its end, since a bundler
 * leaves an unused function out of the first file, and no method.
 *
 * @import { Comment, Cursor, Event, Message, Page, Snapshot, Sort, Summary, Viewer } from './wire.js'
 */

/** @typedef {{type: 'added' | 'changed', id: string} | {type: 'discussion'}} Change */
/** @typedef {'applied' | 'known' | 'gap'} Verdict */
/** @typedef {'ok' | 'gap' | 'reset'} DeliveryResult `gap`: events are missing; `reset`: all has to be read anew. */
/** @typedef {'loaded' | 'anywhere' | 'page'} Where Only in the loaded part; also beyond it; in it, as the page says. */
/** @typedef {{cursor?: string, last: Comment | null}} NextPage Where a list goes on, and the last that was loaded. */

/** @param {Comment} a @param {Comment} b */
const byAge = (a, b) => compare(a.created_at, b.created_at) || compare(a.id, b.id);

/** @param {string} a @param {string} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @type {Record<Sort, (a: Comment, b: Comment) => number>} */
const ORDERS = {
  oldest: byAge,
  newest: (a, b) => byAge(b, a),
  top: (a, b) => b.votes.up - b.votes.down - (a.votes.up - a.votes.down) || byAge(a, b),
};

export class Thread {
  /** Top-level comments of the loaded part, in order. @type {string[]} */
  roots = [];
  /** Top-level comments that stand beyond the loaded part: one's own, and those a link leads to. @type {string[]} */
  detached = [];
  /** @type {Map<string, Comment>} */
  comments = new Map();
  /** Replies of each comment, oldest first. @type {Map<string, string[]>} */
  children = new Map();
  /** The rest of the list, if not all is loaded. @type {NextPage | null} */
  nextPage = null;
  /** The rest of each thread that did not come whole. @type {Map<string, NextPage>} */
  nextPages = new Map();
  /** How many replies can be read in each thread that did not come whole, and in those that events told of. @type {Record<string, number>} */
  threadCounts = {};
  /** The reader's own votes. @type {Record<string, number>} */
  votes = {};
  /** Events that came while requests are under way. @type {Event[]} */
  bufferedEvents = [];
  requests = 0;
  /** Comments that summaries did not show, and where the first of these summaries began. */
  skippedCount = 0;
  skippedFrom = 0;

  /** @param {Snapshot} snapshot @param {Sort} sort */
  constructor(snapshot, sort) {
    this.sort = sort;
    this.discussion = { ...snapshot.discussion };
    this.viewer = snapshot.viewer;
    this.limits = snapshot.limits;
    this.noteReplies(snapshot);
    this.addPage(snapshot.comments, 'page');
    this.nextPage = nextPageAfter(snapshot.next, topLevel(snapshot.comments), null);
  }

  /** @returns {Cursor} */
  get cursor() {
    return { epoch: this.discussion.epoch, seq: this.discussion.seq };
  }

  /** How many comments a reader could still load. */
  get unloaded() {
    let shown = 0;
    for (const { state } of this.comments.values()) if (state === 'visible') shown++;
    return Math.max(0, this.discussion.comment_count - shown);
  }

  /** What a comment stands under, nearest first. @param {string} id @returns {string[]} */
  ancestors(id) {
    const above = [];
    for (let parent = this.comments.get(id)?.parent_id; parent; parent = this.comments.get(parent)?.parent_id) above.push(parent);
    return above;
  }

  /** Of a tombstone, whether anything answers it, as far as is known; of others, yes. @param {string} id @returns {boolean} */
  isShown(id) {
    const { body, reply_count } = /** @type {Comment} */ (this.comments.get(id));
    const isWhole = !this.nextPages.has(this.ancestors(id).at(-1) ?? id);
    return body !== null || reply_count > 0 || !isWhole || (this.children.get(id) ?? []).some((one) => this.isShown(one));
  }

  // ---- events -------------------------------------------------------------------------------------------

  /**
   * Takes a message of the stream.
   *
   * @param {Message} message
   * @param {Change[]} changes Gets what changed.
   * @returns {DeliveryResult}
   */
  receive(message, changes) {
    const { type, epoch, seq = 0, events } = message;
    if (type === 'reset' || (type === 'hello' && epoch !== this.discussion.epoch)) return 'reset';
    const isGap = type === 'summary'
      ? this.summarise(/** @type {Summary} */ (message), changes) === 'gap'
      : events?.some((event) => this.apply(event, changes) === 'gap') || (type === 'heartbeat' && seq > this.discussion.seq);
    return isGap ? 'gap' : 'ok';
  }

  /**
   * @param {Event} event
   * @param {Change[]} changes Gets what changed.
   * @returns {Verdict}
   */
  apply(event, changes) {
    return this.summarise({ from: event.seq, to: event.seq, count: 0, events: [event] }, changes);
  }

  /**
   * @param {Summary} summary
   * @param {Change[]} changes Gets what changed.
   * @returns {Verdict}
   */
  summarise({ from, to, count, events }, changes) {
    const { discussion } = this;
    const { seq } = discussion;
    if (to <= seq) return 'known';
    if (from > seq + 1) return 'gap';
    for (const event of events) if (event.seq > seq) this.#apply(event, changes);
    discussion.seq = to;
    if (!this.skippedCount) this.skippedFrom = seq + 1;
    for (const { kind } of events) if (kind === 'comment.created') count--;
    this.skippedCount += Math.max(0, count);
    return 'applied';
  }

  /** @param {Event} event @param {Change[]} changes */
  #apply(event, changes) {
    const { comment_count, discussion } = event;
    const changed = comment_count === undefined ? discussion : { ...discussion, comment_count };
    Object.assign(this.discussion, changed);
    if (changed) changes.push({ type: 'discussion' });
    if (this.requests) this.bufferedEvents.push(event);
    this.#change(event, changes);
  }

  /** @param {Event} event @param {Change[]} changes */
  #change({ kind, comment, comment_id, votes, parent, thread_counts }, changes) {
    Object.assign(this.threadCounts, thread_counts);
    if (comment && !this.#patch(comment.id, comment, changes) && kind === 'comment.created' && this.insert(comment, 'loaded')) {
      changes.push({ type: 'added', id: comment.id });
    }
    if (votes && comment_id) this.#patch(comment_id, { votes }, changes);
    if (parent) this.#patch(parent.id, parent, changes);
  }

  /** @param {string} id @param {Partial<Comment>} values @param {Change[]} changes @returns {boolean} Whether it is known. */
  #patch(id, values, changes) {
    const comment = this.comments.get(id);
    if (!comment) return false;
    this.comments.set(id, { ...comment, ...values });
    changes.push({ type: 'changed', id });
    return true;
  }

  // ---- pages --------------------------------------------------------------------------------------------

  /** @param {Comment[]} comments @param {Where} where @returns {string[]} What is new. */
  addPage(comments, where) {
    const added = comments.filter((comment) => !this.comments.has(comment.id) && this.insert(comment, where));
    return [...added.map(({ id }) => id), ...this.replay().flatMap((change) => (change.type === 'added' ? [change.id] : []))];
  }

  replay() {
    /** @type {Change[]} */
    const changes = [];
    for (const event of this.bufferedEvents) this.#change(event, changes);
    return changes;
  }

  // ---- places -------------------------------------------------------------------------------------------

  /**
   * @param {Comment} comment
   * @param {Where} where
   * @returns {boolean} Whether it has a place; without one it comes with its page.
   */
  insert(comment, where) {
    const isLoaded = where === 'page' || this.isLoaded(comment);
    if (!isLoaded && where === 'loaded') return false;
    if (comment.parent_id && !this.comments.has(comment.parent_id)) return false;
    this.comments.set(comment.id, comment);
    if (comment.parent_id) insertSorted(this.#list(comment.parent_id), comment.id, this.comments, byAge);
    else insertSorted(isLoaded ? this.roots : this.detached, comment.id, this.comments, ORDERS[this.sort]);
    return true;
  }

  /** Whether the comment's place lies in what is loaded. @param {Comment} comment */
  isLoaded(comment) {
    const { parent_id } = comment;
    const root = parent_id && (this.ancestors(parent_id).at(-1) ?? parent_id);
    const nextPage = root ? this.nextPages.get(root) : this.nextPage;
    return !nextPage || isWithin(comment, nextPage, root ? byAge : ORDERS[this.sort]);
  }

  /** @param {string} parent */
  #list(parent) {
    let list = this.children.get(parent);
    if (!list) this.children.set(parent, (list = []));
    return list;
  }

  /** Notes which threads did not come whole. @param {Partial<Page> & {comments: Comment[]}} page @param {(id: string) => boolean} [which] */
  noteReplies({ comments, replies = {}, thread_counts, votes }, which = () => true) {
    Object.assign(this.threadCounts, thread_counts);
    Object.assign(this.votes, votes);
    for (const [id, cursor] of Object.entries(replies)) {
      if (which(id)) this.nextPages.set(id, { cursor, last: lastOfThread(comments, id) });
    }
  }
}

/** @param {Comment[]} comments */
const topLevel = (comments) => comments.filter(({ parent_id }) => parent_id === null);

/** @param {string | null} cursor @param {Comment[]} comments @param {Comment | null} before @returns {NextPage | null} */
function nextPageAfter(cursor, comments, before) {
  return cursor ? { cursor, last: comments.at(-1) ?? before } : null;
}

/** The last of a page's comments that stands below `root`. @param {Comment[]} comments @param {string} root */
function lastOfThread(comments, root) {
  const ids = new Set([root]);
  let last = null;
  for (const comment of comments) {
    if (!comment.parent_id || !ids.has(comment.parent_id)) continue;
    ids.add(comment.id);
    last = comment;
  }
  return last;
}

/** @param {Comment} comment @param {NextPage} nextPage @param {(a: Comment, b: Comment) => number} order */
function isWithin(comment, nextPage, order) {
  return nextPage.last !== null && order(comment, nextPage.last) <= 0;
}

/**
 * From the end, where nearly all arrive.
 *
 * @param {string[]} ids
 * @param {string} id
 * @param {Map<string, Comment>} comments
 * @param {(a: Comment, b: Comment) => number} order
 */
function insertSorted(ids, id, comments, order) {
  const comment = /** @type {Comment} */ (comments.get(id));
  let index = ids.length;
  while (index > 0 && order(/** @type {Comment} */ (comments.get(ids[index - 1])), comment) > 0) index--;
  ids.splice(index, 0, id);
}

// ---- for the second file ----------------------------------------------------------------------------------

/** Keeps the events that come meanwhile, for what the request brings. @template T @param {Thread} thread @param {() => Promise<T>} request @returns {Promise<T>} */
export async function buffering(thread, request) {
  thread.requests++;
  try {
    return await request();
  } finally {
    if (--thread.requests === 0) thread.bufferedEvents = [];
  }
}

/**
 * Adds the page after what was loaded of the list, or of one comment's replies.
 *
 * @param {Thread} thread
 * @param {string | null} parent
 * @param {Page} page
 * @param {NextPage | null | undefined} asked What the page was asked for with.
 * @returns {string[]} The comments that have a place now, in order.
 */
export function appendPage(thread, parent, page, asked) {
  const { comments, next } = page;
  // where the order changed, a comment may come again, and its replies may all be here
  thread.noteReplies(page, (id) => !thread.roots.includes(id));
  const nextPage = nextPageAfter(next, parent ? comments : topLevel(comments), asked?.last ?? null);
  if (!parent) thread.nextPage = nextPage;
  else if (nextPage) thread.nextPages.set(parent, nextPage);
  else thread.nextPages.delete(parent);
  return [...thread.addPage(comments, 'page'), ...attachReached(thread, new Set(comments.map(({ id }) => id)))];
}

/** Detached comments move into the loaded part once it reaches them. @param {Thread} thread @param {Set<string>} page */
function attachReached(thread, page) {
  const isReached = (/** @type {string} */ id) => page.has(id) || thread.isLoaded(/** @type {Comment} */ (thread.comments.get(id)));
  const reached = thread.detached.filter(isReached);
  thread.detached = thread.detached.filter((id) => !reached.includes(id));
  for (const id of reached) insertSorted(thread.roots, id, thread.comments, ORDERS[thread.sort]);
  return reached;
}

/** Applies what summaries left out up to `to`, and then once more what came since. @param {Thread} thread @param {Event[]} events @param {number} to @param {number} count How many comments had been left out. */
export function replaySkipped(thread, events, to, count) {
  thread.bufferedEvents = [...events, ...thread.bufferedEvents.filter(({ seq }) => seq > to)];
  thread.skippedFrom = to + 1;
  thread.skippedCount -= count;
  return thread.replay();
}

/** One's own comment, as the answer to its post shows it. @param {Thread} thread @param {Comment} comment @returns {boolean} Whether it is new here. */
export function addOwn(thread, comment) {
  return !thread.comments.has(comment.id) && thread.insert(comment, 'anywhere');
}

/** What a write was answered with; an event may have been later. @param {Thread} thread @param {string} id @param {Partial<Comment>} values @param {number} [seq] */
export function applyAnswer(thread, id, values, seq = Infinity) {
  const comment = thread.comments.get(id);
  if (comment && seq > thread.discussion.seq) thread.comments.set(id, { ...comment, ...values });
}

/** @param {Thread} thread @param {Viewer} viewer */
export function signIn(thread, viewer) {
  thread.viewer = viewer;
}

/**
 * Shows the reader's own vote before the server has counted it.
 *
 * @param {Thread} thread
 * @param {string} id
 * @param {number} value 1, 0 or -1.
 * @returns {() => void} Takes it back; totals that the server told since stay.
 */
export function vote(thread, id, value) {
  const before = thread.votes[id] ?? 0;
  const comment = thread.comments.get(id);
  thread.votes[id] = value;
  if (!comment) return () => (thread.votes[id] = before);
  const { votes } = comment;
  const change = (/** @type {number} */ way) => Number(value === way) - Number(before === way);
  const counted = { up: votes.up + change(1), down: votes.down + change(-1) };
  thread.comments.set(id, { ...comment, votes: counted });
  return () => {
    const now = thread.comments.get(id);
    thread.votes[id] = before;
    if (now?.votes === counted) thread.comments.set(id, { ...now, votes });
  };
}
