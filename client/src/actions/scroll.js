/**
 * What scrolls a discussion: the page, or a box around it, as a drawer beside the article.
 *
 * @typedef {{top: number, bottom: number}} Span In pixels below the window's upper edge.
 */

/** Rounding may leave a box that shows all of itself a pixel to scroll. */
const SLACK_PX = 1;

/** At once, whatever `scroll-behavior` the page has. @param {Element} element @param {number} pixels */
export function shift(element, pixels) {
  scroller(element).scrollBy({ top: pixels, behavior: 'instant' });
}

/** What the element is seen through: the window, or what that shows of a box. @param {Element} element @returns {Span} */
export function port(element) {
  const box = scroller(element);
  if (box === page()) return { top: 0, bottom: innerHeight };
  const { top, bottom } = box.getBoundingClientRect();
  return { top: Math.max(0, top), bottom: Math.min(innerHeight, bottom) };
}

/** @param {Span} span @param {Span} shown */
export function isInView({ top, bottom }, shown) {
  return bottom >= shown.top && top <= shown.bottom;
}

/** @param {Element} element @param {ScrollLogicalPosition} block At the start it is jumped to, as a link of the page is. */
export function bringIntoView(element, block) {
  const isCalm = block === 'start' || matchMedia('(prefers-reduced-motion: reduce)').matches;
  const behavior = isCalm ? 'instant' : 'smooth';
  const box = scroller(element);
  const shown = port(element);
  // the page stays where it is while the box is in view
  if (block !== 'center' || box === page() || shown.top >= shown.bottom) return element.scrollIntoView({ block, behavior });
  const { top, bottom } = element.getBoundingClientRect();
  box.scrollBy({ top: (top + bottom - shown.top - shown.bottom) / 2, behavior });
}

const page = () => /** @type {Element} */ (document.scrollingElement);

/** The nearest box around the element that has more to show, or the page. @param {Element} element */
export function scroller(element) {
  /** @type {Element | undefined} */
  let box = element;
  do box = box.assignedSlot ?? box.parentElement ?? /** @type {ShadowRoot} */ (box.getRootNode()).host;
  while (box && !scrolls(box));
  return box ?? page();
}

/** @param {Element} box */
function scrolls(box) {
  // what stands on the body is the window's
  if (box === document.body && overflow(/** @type {Element} */ (box.parentElement)) === 'visible') return false;
  return box.scrollHeight > box.clientHeight + SLACK_PX && /auto|scroll/.test(overflow(box));
}

/** @param {Element} box */
const overflow = (box) => getComputedStyle(box).overflowY;
