/**
 * Brings what is not on the page yet: further pages, replies that did not come along, what summaries left out.
 *
 * @import { Actions } from '../actions.js'
 */
import { page } from '../commands.js';
import { loadSkipped, leftOut, load } from './threadPages.js';
import { commentId } from '../../page/names.js';
import { scrollBy } from './scroll.js';
import { findAnchor } from './scrollAnchor.js';

/** As much as the server gives at once, for what nobody waits to read. */
const MOST = 100;

export class Pagination {
  #actions;
  /** What is asked for need not be announced. */
  isFilling = false;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param {string | null} parent @param {boolean} [isQuiet] Without moving the focus. @returns {Promise<boolean>} Whether it came. */
  async load(parent, isQuiet = false) {
    const { session, arrivals, unread } = this.#actions;
    const { thread, list, api, settings } = session;
    const limit = isQuiet ? MOST : settings.max;
    const cards = new Set(list.cards.keys());
    try {
      const ids = await load(thread, parent, (cursor) => page(api, parent ? { parent, cursor } : { sort: thread.sort, cursor, limit }));
      if (list !== session.list) return false;
      for (const id of ids) arrivals.drop(id);
      this.#actions.preserveScroll(() => list.show(ids));
      unread.mark(ids);
      const first = ids.find((id) => !cards.has(id));
      const element = first && list.cards.get(first)?.element;
      if (element && !isQuiet) list.focus(element, true);
      return true;
    } catch {
      this.#announceError();
      return false;
    }
  }

  /**
   * The list begins anew with its first page: in the same order, as many as there were are read again, up to what the reader saw.
   *
   * @param {() => void} replace
   */
  async reload(replace) {
    const { session, search } = this.#actions;
    const { thread, view, list: old } = session;
    const anchor = thread.sort === old.thread.sort ? findAnchor(old) : null;
    // the comment, although all is made anew, or the form that goes on being typed in
    const seen = anchor?.closest('article') ?? anchor;
    const top = seen ? topOf(seen) : 0;
    const size = old.roots.length;
    replace();
    if (!seen) return;
    const { list } = session;
    const now = () => (seen.isConnected ? seen : list.cards.get(commentId(seen))?.element);
    const isMissing = () => session.list === list && thread.nextPage && thread.roots.length < size && !now();
    const before = topOf(view.element);
    while (isMissing() && (await this.load(null, true)));
    // a link may have led there, past pages that nobody read
    if (session.list === list && !now()) await search.bring(commentId(seen));
    const found = session.list === list && now();
    // who scrolls meanwhile reads something else
    if (found && found.checkVisibility() && topOf(view.element) === before) scrollBy(found, topOf(found) - top);
  }

  /** Shows what waits for a place of its own, and what summaries left out. */
  async showAll() {
    const { session, arrivals, search } = this.#actions;
    const { thread, api, list } = session;
    if (this.isFilling) return;
    this.isFilling = true;
    const changes = leftOut(thread) ? await loadSkipped(thread, (after) => api.events(after)).catch(() => null) : [];
    if (!changes) this.#announceError();
    else if (thread === session.thread) session.showChanges(changes);
    this.isFilling = false;
    arrivals.count();
    const ids = arrivals.listed;
    // what came may lie beyond the loaded part
    if (changes && !ids.length) list.more.focus();
    else arrivals.goTo(ids);
    search.again();
  }

  #announceError() {
    this.#actions.announce(this.#actions.t('load_error'));
  }
}

/** @param {Element} element */
const topOf = (element) => element.getBoundingClientRect().top;
