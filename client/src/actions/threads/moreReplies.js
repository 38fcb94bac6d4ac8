/**
 * What a press on "Show more replies" leads to: all that the thread lacks, or where they are more than a page, how many.
 *
 * @import { Context } from '../context.js'
 * @import { Thread } from '../../live/thread.js'
 */
import { setText } from '../../page/dom.js';

/** As many as the server gives at once. */
const PAGE = 50;

export class MoreReplies {
  #context;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    this.refreshed();
  }

  listReplaced() {
    this.refreshed();
  }

  refreshed() {
    const { list, thread, t } = this.#context;
    for (const id of thread.nextPages.keys()) {
      const more = list.cards.get(id)?.replies.nextElementSibling;
      if (!(more instanceof HTMLElement)) continue;
      const n = lacking(thread, id);
      setText(more, n > 0 ? t(n > PAGE ? 'more_replies_of' : 'show_more_replies', { n, total: n }) : t('more_replies'));
      // tombstones alone are left; to a reader who is known, what waits for approval may be among them
      more.hidden = n === 0 && !thread.viewer;
    }
  }
}

/** How many visible replies of all depths the thread has that are not here; NaN where nobody can tell. @param {Thread} thread @param {string} id @returns {number} */
function lacking(thread, id) {
  // a server of before tells none; what a summary left out is in none of its counts
  return thread.skippedCount ? NaN : Math.max(0, thread.threadCounts[id] - here(thread, id));
}

/** @param {Thread} thread @param {string} id @returns {number} */
function here(thread, id) {
  let sum = 0;
  for (const child of thread.children.get(id) ?? []) sum += Number(thread.comments.get(child)?.state === 'visible') + here(thread, child);
  return sum;
}
