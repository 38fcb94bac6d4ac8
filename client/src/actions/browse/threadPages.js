/**
 * What a thread does not have yet: further pages, the page of a link, what summaries left out.
 *
 * What summaries left out is read from its first event to the newest, known ones included, so that later events about
 * comments that were not there yet need not be kept.
 *
 * @import { Cursor, Event, EventsPage, Page } from '../../live/wire.js'
 * @import { Change, Thread } from '../../live/thread.js'
 */
import { appendPage, buffering, replaySkipped } from '../../live/thread.js';

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
  return buffering(thread, async () => appendPage(thread, parent, await ask(nextPage?.cursor), nextPage));
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

/** How many comments `loadSkipped` would bring; some of what summaries left out may have come with pages. @param {Thread} thread */
export const leftOut = (thread) => thread.skippedCount && Math.min(thread.skippedCount, thread.unloaded);

/**
 * Reads what summaries left out.
 *
 * @param {Thread} thread
 * @param {(after: Cursor) => Promise<EventsPage>} ask
 * @returns {Promise<Change[]>}
 */
export function loadSkipped(thread, ask) {
  const { epoch, seq: to } = thread.cursor;
  const { skippedCount } = thread;
  return buffering(thread, async () =>
    replaySkipped(thread, await readEvents(ask, { epoch, seq: thread.skippedFrom - 1 }, to), to, skippedCount));
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
