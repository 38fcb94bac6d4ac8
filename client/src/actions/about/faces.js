/**
 * The attribute `faces`: before each name a letter on a colour, both made from what is there. No request, and nothing that a
 * screen reader would say twice.
 *
 * They are put before the browser paints what has just come, and where names that were shown already get theirs, what is read
 * stays in its place.
 *
 * @import { Context } from '../context.js'
 */
import { setAttribute } from '../../page/dom.js';
import { commentId } from '../../page/names.js';
import css from './faces.css';

/** White has a contrast of at least 5.5 with each. */
const HUES = 24;
const hues = Array.from({ length: HUES }, (_, hue) => `[data-hue='${hue}']{--_hue:${(360 / HUES) * hue}}`).join('');

/** Discussions that have theirs. @type {WeakSet<Context>} */
const known = new WeakSet();

/** @param {Context} context @param {() => () => void} hold Notes what is read; the answer goes back to it. */
export function showFaces(context, hold) {
  if (known.has(context)) return;
  known.add(context);
  const { host, signal, view } = context;
  host.adoptStyles(css + hues);
  const watch = new MutationObserver((records) => {
    // a comment that was on its way gets its id with the answer
    for (const { type, addedNodes, target } of records) {
      for (const node of type === 'attributes' ? [target] : addedNodes) if (node instanceof Element) draw(context, node);
    }
  });
  watch.observe(view.list, { childList: true, subtree: true, attributes: true, attributeFilter: ['id'] });
  signal.addEventListener('abort', () => watch.disconnect());
  const settle = hold();
  draw(context, view.list);
  settle();
}

/** Of a comment, or of all in an element. @param {Context} context @param {Element} element */
function draw({ list }, element) {
  const articles = element.matches('article') ? [element] : [];
  for (const article of [...articles, ...element.querySelectorAll('article')]) {
    const author = list.cards.get(commentId(article))?.comment.author;
    const name = author && article.querySelector('.author');
    if (!name) continue;
    setAttribute(name, 'data-face', letter(author.name));
    setAttribute(name, 'data-hue', hue(author.id));
  }
}

/** The first of the name, as a reader sees it. @param {string} name */
export function letter(name) {
  const first = globalThis.Intl?.Segmenter ? new Intl.Segmenter().segment(name)[Symbol.iterator]().next().value?.segment : [...name][0];
  const upper = (first ?? '').toUpperCase();
  // ß and a few others become two
  return [...upper].length > [...(first ?? '')].length ? first : upper;
}

/** @param {string} id */
export function hue(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 65_537;
  return sum % HUES;
}
