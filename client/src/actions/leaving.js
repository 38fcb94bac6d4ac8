/**
 * Ctrl+End and Ctrl+Home leave the list for what can be focused after and before it, as the feed pattern of the W3C
 * wants it: who has no mouse need not go through ten thousand comments.
 *
 * @import { Session } from '../session.js'
 */
const STOPS = 'a[href], button, input, select, textarea, summary, iframe, [tabindex]';

/** @param {Session} session */
export function leaveByKeys(session) {
  session.root.addEventListener('keydown', (event) => key(session, /** @type {KeyboardEvent} */ (event)), { signal: session.signal });
}

/** @param {Session} session @param {KeyboardEvent} event */
function key({ host, root, list }, event) {
  const target = /** @type {Element} */ (event.target);
  if (!event.ctrlKey || (event.key !== 'End' && event.key !== 'Home')) return;
  if (!list.element.contains(target) || target.matches('textarea, input')) return;
  const isEnd = event.key === 'End';
  const way = isEnd ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
  const near = stops(root).filter((one) => is(way, list.element, one));
  const far = stops(document).filter((one) => is(way, host, one));
  const next = isEnd ? [...near, ...far][0] : [...far, ...near].at(-1);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** What the Tab key stops at. @param {ParentNode} root */
function stops(root) {
  const all = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(STOPS));
  return [...all].filter((one) => one.tabIndex >= 0 && !one.matches(':disabled') && one.checkVisibility());
}

/** Whether it stands on that side of the element and not within. @param {number} way @param {Element} element @param {Element} one */
function is(way, element, one) {
  return !element.contains(one) && (element.compareDocumentPosition(one) & way) !== 0;
}
