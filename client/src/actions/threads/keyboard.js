/**
 * The keys of the W3C's feed pattern: Page Down and Page Up go from comment to comment, Ctrl+End and Ctrl+Home leave the
 * list for what can be focused after and before it. Without a mouse one need not go through ten thousand comments.
 *
 * @import { Context } from '../context.js'
 */
const STOPS = 'a[href], button, input, select, textarea, summary, iframe, [tabindex]';

/** @param {Context} d */
export const keyboard = (d) => ({
  start() {
    d.root.addEventListener('keydown', (event) => {
      const { ctrlKey, key } = /** @type {KeyboardEvent} */ (event);
      const target = /** @type {Element} */ (event.target);
      const list = d.list.element;
      if (!list.contains(target) || target.matches('textarea, input')) return;
      const next = ctrlKey ? outside(d, key) : neighbour(list, target, key);
      if (!next) return;
      event.preventDefault();
      if (next.localName === 'article') d.list.focus(next);
      else next.focus();
    }, { signal: d.signal });
  },
});

/** @param {HTMLElement} list @param {Element} target @param {string} key */
function neighbour(list, target, key) {
  const step = { PageDown: 1, PageUp: -1 }[key];
  const article = target.closest('article');
  if (!step || !article) return undefined;
  const articles = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('article')]);
  let index = articles.indexOf(article) + step;
  while (articles[index]?.checkVisibility() === false) index += step;
  return articles[index];
}

/** @param {Context} context @param {string} key */
function outside({ host, root, list }, key) {
  if (key !== 'End' && key !== 'Home') return undefined;
  const isEnd = key === 'End';
  const way = isEnd ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
  const near = stops(root).filter((one) => is(way, list.element, one));
  const far = stops(document).filter((one) => is(way, host, one));
  return isEnd ? [...near, ...far][0] : [...far, ...near].at(-1);
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
