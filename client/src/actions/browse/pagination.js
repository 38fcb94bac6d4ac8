/**
 * Brings what is not on the page yet: further pages, replies that did not come along, what summaries left out.
 *
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 * @import { Arrivals } from './arrivals.js'
 * @import { Navigation } from './navigation.js'
 */
import { page } from '../commands.js';
import { loadSkipped, leftOut, load } from './threadPages.js';
import { commentId } from '../../page/names.js';
import { scrollBy } from './scroll.js';
import { findAnchor, preserveScroll } from './scrollAnchor.js';

/** As much as the server gives at once, for what nobody waits to read. */
const MOST = 100;

export class Pagination {
  #context;
  #others;

  /** @param {Context} context @param {{announcer: Announcer, arrivals: Arrivals, navigation: Navigation, unread: {mark: (ids: string[]) => void}}} others */
  constructor(context, others) {
    this.#context = context;
    this.#others = others;
  }

  /** @param {string | null} parent @param {boolean} [isQuiet] Without moving the focus. @returns {Promise<boolean>} Whether it came. */
  async load(parent, isQuiet = false) {
    const { thread, list, api, settings } = this.#context;
    const limit = isQuiet ? MOST : settings.max;
    const cards = new Set(list.cards.keys());
    try {
      const ids = await load(thread, parent, (cursor) => page(api, parent ? { parent, cursor } : { sort: thread.sort, cursor, limit }));
      if (list !== this.#context.list) return false;
      for (const id of ids) this.#others.arrivals.drop(id);
      preserveScroll(list, () => list.show(ids));
      this.#others.unread.mark(ids);
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
   * The list begins anew with its first page: in the same order, as many as there were are read again, up to what the
   * reader saw. Forms and the focus move on to the cards that take the place of their own.
   *
   * @param {() => void} replace
   * @param {() => Promise<void>} again Brings back what a link and a search had changed.
   */
  async keepPlace(replace, again) {
    const box = this.#context.view.list;
    // so that what stands below does not come into view before all is there again
    box.style.minBlockSize = `${box.offsetHeight}px`;
    await this.#keepScroll(() => this.#keepFocus(replace));
    await again();
    box.style.minBlockSize = '';
  }

  /** @param {() => void} replace */
  #keepFocus(replace) {
    const { activeElement: active } = /** @type {Document | ShadowRoot} */ (this.#context.view.list.getRootNode());
    const article = active?.closest('article');
    replace();
    if (!article) return;
    if (active instanceof HTMLElement && active.isConnected) active.focus({ preventScroll: true });
    else this.#context.list.cards.get(commentId(article))?.element.focus({ preventScroll: true });
  }

  /** @param {() => void} replace */
  async #keepScroll(replace) {
    const { thread, view, list: old } = this.#context;
    const anchor = thread.sort === old.thread.sort ? findAnchor(old) : null;
    // the comment, although all is made anew, or the form that goes on being typed in
    const seen = anchor?.closest('article') ?? anchor;
    const top = seen ? topOf(seen) : 0;
    const size = old.roots.length;
    replace();
    if (!seen) return;
    const { list } = this.#context;
    const isCurrent = () => this.#context.list === list;
    const now = () => (seen.isConnected ? seen : list.cards.get(commentId(seen))?.element);
    const isMissing = () => isCurrent() && thread.nextPage && thread.roots.length < size && !now();
    const before = topOf(view.element);
    while (isMissing() && (await this.load(null, true)));
    // a link may have led there, past pages that nobody read
    if (isCurrent() && !now()) await this.#others.navigation.bring(commentId(seen));
    const found = isCurrent() && now();
    // who scrolls meanwhile reads something else
    if (found && found.checkVisibility() && topOf(view.element) === before) scrollBy(found, topOf(found) - top);
  }

  /** Shows what the pill offers, and what summaries left out. @param {() => unknown} again As for `keepPlace`. */
  async showAll(again) {
    const { thread, api, list, live } = this.#context;
    const { arrivals } = this.#others;
    if (arrivals.isQuiet) return;
    arrivals.isQuiet = true;
    const changes = leftOut(thread) ? await loadSkipped(thread, (after) => api.events(after)).catch(() => null) : [];
    if (!changes) this.#announceError();
    else if (thread === this.#context.thread && changes.length) live.changed(changes);
    arrivals.isQuiet = false;
    arrivals.changed([]);
    const ids = arrivals.offered;
    // what came may lie beyond the loaded part
    if (changes && !ids.length) list.more.focus();
    else arrivals.goTo(ids);
    again();
  }

  #announceError() {
    this.#others.announcer.announce(this.#context.t('load_error'));
  }
}

/** @param {Element} element */
const topOf = (element) => element.getBoundingClientRect().top;
