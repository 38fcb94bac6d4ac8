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
  const settle = hold(list, moving);
  change();
  settle();
}

/** Notes what is read, before the list changes. @param {List} list @param {Element} [moving] @returns {() => void} Scrolls back to it afterwards. */
export function hold(list, moving) {
  const anchor = findAnchor(list, moving);
  const before = anchor?.getBoundingClientRect().top ?? 0;
  return () => {
    if (!anchor?.checkVisibility()) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (Math.abs(moved) > 1) scrollBy(anchor, moved);
  };
}

/**
 * The form that is being typed in, or the first comment in view. No search through all: that would take 10 ms.
 *
 * @param {List} list @param {Element} [moving] @returns {Element | null}
 */
export function findAnchor(list, moving) {
  const { element } = list;
  const { activeElement } = /** @type {Document | ShadowRoot} */ (element.getRootNode());
  const form = activeElement?.closest('.all form');
  const shown = viewport(element);
  if (form && isInView(form.getBoundingClientRect(), shown)) return form;
  const box = boxesBelow(list, 2).find((one) => one.parentElement !== moving);
  return box && isInView(box.getBoundingClientRect(), shown) ? box : null;
}

/** The first comments that are not above the view, or the last of all. @param {List} list @param {number} most @returns {Element[]} */
export function boxesBelow({ element, chunks }, most) {
  const isNotAbove = hasPartBelow(viewport(element).top);
  const chunk = chunks.find(isNotAbove) ?? chunks.at(-1);
  const boxes = [...(chunk?.querySelectorAll('.box') ?? [])];
  const first = boxes.findIndex(isNotAbove);
  return boxes.slice(first, first < 0 ? undefined : first + most);
}

/** What a search hides has no height. @param {number} edge */
const hasPartBelow = (edge) => (/** @type {Element} */ element) => {
  const { bottom, height } = element.getBoundingClientRect();
  return bottom > edge && height > 0;
};
