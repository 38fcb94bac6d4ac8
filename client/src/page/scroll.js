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
  if (Math.abs(moved) > 1) scrollBy(0, moved);
}

/** The form that is being typed in, or the first article in view. @param {ParentNode & {activeElement?: Element | null}} root */
export function anchorIn(root) {
  const active = root.activeElement?.closest('form');
  if (active && isInView(active.getBoundingClientRect())) return active;
  for (const chunk of root.querySelectorAll('.chunk')) {
    if (chunk.getBoundingClientRect().bottom <= 0) continue;
    for (const box of chunk.querySelectorAll('.box')) {
      const { top, bottom } = box.getBoundingClientRect();
      if (bottom > 0) return top < innerHeight ? box : null;
    }
  }
  return null;
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
