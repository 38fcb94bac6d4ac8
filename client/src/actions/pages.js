/**
 * What a thread does not have yet: further pages, the page of a link, what summaries left out, one's own comments.
 *
 * What summaries left out is read from its first event to the newest, known ones included: what later events said of
 * comments that were not there yet need not be kept for them.
 *
 * @import { Comment, Cursor, Event, Page, Stretch } from '../live/wire.js'
 * @import { Change, Rest, Thread } from '../live/thread.js'
 */
import { insert, ORDERS, restAfter, topLevel } from '../live/thread.js';

/**
 * Asks for the rest of the list, or of one comment's replies; `ask` is given the cursor.
 *
 * @param {Thread} thread
 * @param {string | null} parent
 * @param {(cursor: string | undefined) => Promise<Page>} ask
 * @returns {Promise<string[]>} The comments that it brought, in order.
 */
export function load(thread, parent, ask) {
  const rest = parent ? thread.rests.get(parent) : thread.rest;
  return during(thread, async () => {
    const page = await ask(rest?.cursor);
    const after = rest?.last ?? null;
    thread.note(page);
    if (parent) setRest(thread, parent, restAfter(page.next, page.comments, after));
    else thread.rest = restAfter(page.next, topLevel(page.comments), after);
    return [...thread.take(page.comments, 'page'), ...admit(thread, new Set(page.comments.map(({ id }) => id)))];
  });
}

/**
 * Asks for comments somewhere in the discussion, such as a link's, and gives each a place.
 *
 * @param {Thread} thread
 * @param {() => Promise<Pick<Page, 'comments'> & Partial<Page>>} ask
 */
export function reveal(thread, ask) {
  return during(thread, async () => {
    const page = await ask();
    const isKnown = new Set(thread.comments.keys());
    thread.note(page, (id) => !isKnown.has(id));
    return thread.take(page.comments, 'anywhere');
  });
}

/** One's own comment, as the answer to its post shows it. @param {Thread} thread @param {Comment} comment @returns {boolean} Whether it is new here. */
export function adopt(thread, comment) {
  return !thread.comments.has(comment.id) && thread.place(comment, 'anywhere');
}

/** What a write was answered with; an event may have been later. @param {Thread} thread @param {string} id @param {Partial<Comment>} values @param {number} [seq] */
export function settle(thread, id, values, seq = Infinity) {
  const comment = thread.comments.get(id);
  if (comment && seq > thread.discussion.seq) thread.comments.set(id, { ...comment, ...values });
}

/** How many comments `fill` would bring; some of what summaries left out may have come with pages. @param {Thread} thread */
export const leftOut = (thread) => thread.skipped && Math.min(thread.skipped, thread.unloaded);

/**
 * Reads what summaries left out.
 *
 * @param {Thread} thread
 * @param {(after: Cursor) => Promise<Stretch>} ask
 * @returns {Promise<Change[]>}
 */
export function fill(thread, ask) {
  const { epoch, seq: to } = thread.cursor;
  const { skipped } = thread;
  return during(thread, async () => {
    const events = await stretch(ask, { epoch, seq: thread.skippedFrom - 1 }, to);
    thread.told = [...events, ...thread.told.filter(({ seq }) => seq > to)];
    thread.skippedFrom = to + 1;
    thread.skipped -= skipped;
    return thread.replay();
  });
}

/** @param {Thread} thread @param {string} id @param {Rest | null} rest */
function setRest({ rests }, id, rest) {
  if (rest) rests.set(id, rest);
  else rests.delete(id);
}

/** @param {(after: Cursor) => Promise<Stretch>} ask @param {Cursor} after @param {number} to */
async function stretch(ask, { epoch, seq }, to) {
  /** @type {Event[]} */
  const events = [];
  for (let isMore = true; isMore && seq < to; seq = events.at(-1)?.seq ?? to) {
    const found = await ask({ epoch, seq });
    if (found.epoch !== epoch) throw new Error('another epoch');
    events.push(...found.events);
    isMore = found.more;
  }
  return events.filter((event) => event.seq <= to);
}

/** What is told meanwhile is kept, for what the request brings. @template T @param {Thread} thread @param {() => Promise<T>} work */
async function during(thread, work) {
  thread.requests++;
  try {
    return await work();
  } finally {
    if (--thread.requests === 0) thread.told = [];
  }
}

/** Comments from beyond move into the loaded part once it reaches them. @param {Thread} thread @param {Set<string>} page */
function admit(thread, page) {
  const isReached = (/** @type {string} */ id) => page.has(id) || thread.isLoaded(/** @type {Comment} */ (thread.comments.get(id)));
  const reached = thread.beyond.filter(isReached);
  thread.beyond = thread.beyond.filter((id) => !reached.includes(id));
  for (const id of reached) insert(thread.roots, id, thread.comments, ORDERS[thread.sort]);
  return reached;
}
