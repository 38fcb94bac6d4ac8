/**
 * What a thread does not have yet: further pages, the page of a link, what summaries left out, one's own comments.
 *
 * What summaries left out is read from its first event to the newest, known ones included: what later events said of
 * comments that were not there yet need not be kept for them.
 *
 * @import { Comment, Cursor, Event, Page, EventsPage } from '../../live/wire.js'
 * @import { Change, NextPage, Thread } from '../../live/thread.js'
 */
import { insertSorted, ORDERS, nextPageAfter, topLevel } from '../../live/thread.js';

/**
 * Asks for the rest of the list, or of one comment's replies; `ask` is given the cursor.
 *
 * @param {Thread} thread
 * @param {string | null} parent
 * @param {(cursor: string | undefined) => Promise<Page>} ask
 * @returns {Promise<string[]>} The comments that it brought, in order.
 */
export function load(thread, parent, ask) {
  const nextPage = parent ? thread.nextPages.get(parent) : thread.nextPage;
  return buffering(thread, async () => {
    const page = await ask(nextPage?.cursor);
    const after = nextPage?.last ?? null;
    thread.noteReplies(page);
    if (parent) setNextPage(thread, parent, nextPageAfter(page.next, page.comments, after));
    else thread.nextPage = nextPageAfter(page.next, topLevel(page.comments), after);
    return [...thread.addPage(page.comments, 'page'), ...attachReached(thread, new Set(page.comments.map(({ id }) => id)))];
  });
}

/**
 * Asks for comments somewhere in the discussion, such as a link's, and gives each a place.
 *
 * @param {Thread} thread
 * @param {() => Promise<Pick<Page, 'comments'> & Partial<Page>>} ask
 */
export function reveal(thread, ask) {
  return buffering(thread, async () => {
    const page = await ask();
    const isKnown = new Set(thread.comments.keys());
    thread.noteReplies(page, (id) => !isKnown.has(id));
    return thread.addPage(page.comments, 'anywhere');
  });
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

/** How many comments `loadSkipped` would bring; some of what summaries left out may have come with pages. @param {Thread} thread */
export const leftOut = (thread) => thread.skipped && Math.min(thread.skipped, thread.unloaded);

/**
 * Reads what summaries left out.
 *
 * @param {Thread} thread
 * @param {(after: Cursor) => Promise<EventsPage>} ask
 * @returns {Promise<Change[]>}
 */
export function loadSkipped(thread, ask) {
  const { epoch, seq: to } = thread.cursor;
  const { skipped } = thread;
  return buffering(thread, async () => {
    const events = await readEvents(ask, { epoch, seq: thread.skippedFrom - 1 }, to);
    thread.bufferedEvents = [...events, ...thread.bufferedEvents.filter(({ seq }) => seq > to)];
    thread.skippedFrom = to + 1;
    thread.skipped -= skipped;
    return thread.replay();
  });
}

/** @param {Thread} thread @param {string} id @param {NextPage | null} nextPage */
function setNextPage({ nextPages }, id, nextPage) {
  if (nextPage) nextPages.set(id, nextPage);
  else nextPages.delete(id);
}

/** @param {(after: Cursor) => Promise<EventsPage>} ask @param {Cursor} after @param {number} to */
async function readEvents(ask, { epoch, seq }, to) {
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
async function buffering(thread, work) {
  thread.requests++;
  try {
    return await work();
  } finally {
    if (--thread.requests === 0) thread.bufferedEvents = [];
  }
}

/** Comments from beyond move into the loaded part once it reaches them. @param {Thread} thread @param {Set<string>} page */
function attachReached(thread, page) {
  const isReached = (/** @type {string} */ id) => page.has(id) || thread.isLoaded(/** @type {Comment} */ (thread.comments.get(id)));
  const reached = thread.detached.filter(isReached);
  thread.detached = thread.detached.filter((id) => !reached.includes(id));
  for (const id of reached) insertSorted(thread.roots, id, thread.comments, ORDERS[thread.sort]);
  return reached;
}
