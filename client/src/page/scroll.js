/**
 * What the reader sees must not move.
 *
 * Native scroll anchoring and this do not fight: reading a position forces layout, so the native correction has
 * already run and only a remaining difference is corrected.
 */

/**
 * @param {Element | null} anchor
 * @param {() => void} mutate
 */
export function keeping(anchor, mutate) {
  const before = anchor?.getBoundingClientRect().top ?? 0;
  mutate();
  if (!anchor?.isConnected) return;
  const moved = anchor.getBoundingClientRect().top - before;
  if (Math.abs(moved) > 1) shift(moved);
}

/** At once, whatever `scroll-behavior` the page has. @param {number} pixels */
export function shift(pixels) {
  scrollBy({ top: pixels, behavior: 'instant' });
}

/** @param {{top: number, bottom: number}} rect */
export function isInView({ top, bottom }) {
  return bottom >= 0 && top <= innerHeight;
}

/** @param {Element} element @param {ScrollLogicalPosition} block At the start it is jumped to, as a link of the page is. */
export function bringIntoView(element, block) {
  const isCalm = block === 'start' || matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block, behavior: isCalm ? 'instant' : 'smooth' });
}
