/**
 * What the reader sees must not move.
 *
 * Native scroll anchoring and this do not fight: reading a position forces layout, so the native correction has
 * already run and only a remaining difference is corrected.
 *
 * @import { List } from '../../reading/list.js'
 */
import { isInView, viewport, scrollBy } from './scroll.js';

/** Changes the list, and scrolls so that what is read stays where it was. @param {List} list @param {() => void} change @param {Element} [moving] What is put elsewhere. */
export function preserveScroll(list, change, moving) {
  const anchor = findAnchor(list, moving);
  const before = anchor?.getBoundingClientRect().top ?? 0;
  change();
  if (!anchor?.checkVisibility()) return;
  const moved = anchor.getBoundingClientRect().top - before;
  if (Math.abs(moved) > 1) scrollBy(anchor, moved);
}

/**
 * The form that is being typed in, or the first comment in view. No search through all: that would take 10 ms.
 *
 * @param {List} list @param {Element} [moving] @returns {Element | null}
 */
export function findAnchor({ element, chunks }, moving) {
  const { activeElement } = /** @type {Document | ShadowRoot} */ (element.getRootNode());
  const form = activeElement?.closest('.all form');
  const shown = viewport(element);
  if (form && isInView(form.getBoundingClientRect(), shown)) return form;
  const isNotAbove = hasPartBelow(shown.top);
  const chunk = chunks.find(isNotAbove);
  const box = chunk && [...chunk.querySelectorAll('.box')].find((one) => one.parentElement !== moving && isNotAbove(one));
  return box && isInView(box.getBoundingClientRect(), shown) ? box : null;
}

/** What a search hides has no height. @param {number} edge */
const hasPartBelow = (edge) => (/** @type {Element} */ element) => {
  const { bottom, height } = element.getBoundingClientRect();
  return bottom > edge && height > 0;
};
