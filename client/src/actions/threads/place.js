/**
 * After a reload, and on the way back, the reader is where reading ended: at the same comment, at the same height.
 *
 * The browser cannot do it: it looks for a number of pixels before the comments are there. So the first of the comments
 * that were in view, and are still there, goes back to where it was, after as many pages as had been loaded. Who has
 * begun to move meanwhile is left alone.
 *
 * @import { Context } from '../context.js'
 * @import { Navigation } from '../browse/navigation.js'
 * @import { Pagination } from '../browse/pagination.js'
 * @import { Place } from '../browse/savedPlace.js'
 */
import { scrollBy } from '../browse/scroll.js';

/** @param {Context} context @param {Place} place @param {{navigation: Navigation, pagination: Pagination}} others */
export async function goBack(context, { sort, size, seen }, { navigation, pagination }) {
  const { thread } = context;
  const topOf = (/** @type {Element} */ element) => element.getBoundingClientRect().top;
  const find = () => {
    for (const [id, top] of seen) {
      const box = context.list.cards.get(id)?.element.firstElementChild;
      if (box?.checkVisibility()) return { box, top };
    }
    return undefined;
  };
  holdBrowser();
  const isWanted = () => !context.hasMoved() && context.thread === thread;
  const isMissing = () => isWanted() && !find() && thread.sort === sort && thread.nextPage && thread.roots.length < size;
  while (isMissing() && (await pagination.load(null, true)));
  for (const [id] of seen) if (isWanted() && !find()) await navigation.bring(id);
  const found = isWanted() && find();
  if (found) scrollBy(found.box, topOf(found.box) - found.top);
}

/** Until the page is whole the browser may go to its own number of pixels. */
function holdBrowser() {
  if (document.readyState === 'complete') return;
  const { scrollRestoration } = history;
  history.scrollRestoration = 'manual';
  addEventListener('load', () => setTimeout(() => (history.scrollRestoration = scrollRestoration)), { once: true });
}
