/**
 * What scrolls a discussion: the page, or a box around it, as a drawer beside the article.
 *
 * @typedef {{top: number, bottom: number}} Span In pixels below the window's upper edge.
 */

/** Rounding may leave a box that shows all of itself a pixel to scroll. */
const SLACK_PX = 1;

/** At once, whatever `scroll-behavior` the page has. @param {Element} element @param {number} pixels */
export function scrollBy(element, pixels) {
  (scroller(element) ?? window).scrollBy({ top: pixels, behavior: 'instant' });
}

/** What the element is seen through: the window, or what that shows of a box. @param {Element} element @returns {Span} */
export function viewport(element) {
  const { top, bottom } = scroller(element)?.getBoundingClientRect() ?? { top: 0, bottom: innerHeight };
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
  const shown = viewport(element);
  const { top, bottom } = element.getBoundingClientRect();
  // the page stays where it is while the box is in view
  if (box && block === 'center' && shown.bottom > shown.top) box.scrollBy({ top: (top + bottom - shown.top - shown.bottom) / 2, behavior });
  else element.scrollIntoView({ block, behavior });
}

/** The box around the element that scrolls it, or nothing where the window does. @param {Element} element @returns {Element | undefined} */
function scroller(element) {
  const box = element.assignedSlot ?? element.parentElement ?? /** @type {ShadowRoot} */ (element.getRootNode()).host;
  return !box || box === document.documentElement ? undefined : scrolls(box) ? box : scroller(box);
}

/** @param {Element} box */
function scrolls(box) {
  const { overflowY, position } = getComputedStyle(box);
  // no window moves what is fixed
  if (position === 'fixed') return true;
  // what stands on the body is the window's
  if (box === document.body && getComputedStyle(document.documentElement).overflowY === 'visible') return false;
  // of the body, `clientHeight` is the window's in quirks mode
  const height = /** @type {HTMLElement} */ (box).offsetHeight;
  // what is higher than the window is a page's wrapper, whose overflow is an accident
  return /auto|scroll/.test(overflowY) && box.scrollHeight > height + SLACK_PX && height <= innerHeight;
}
