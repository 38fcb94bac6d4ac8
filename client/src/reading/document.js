/**
 * The document tree of a comment as DOM, made of elements and text nodes alone.
 *
 * @import { Node as Tree } from '../live/wire.js'
 */
import { h } from '../page/dom.js';

const SAFE = /^(?:https?:\/\/|mailto:)/i;

/** @param {Tree[]} blocks @returns {HTMLElement[]} */
export function render(blocks) {
  return blocks.map(block);
}

/** @param {Tree} tree @returns {HTMLElement} */
function block(tree) {
  switch (tree.type) {
    case 'quote':
      return h('blockquote', {}, ...render(tree.children));
    case 'list':
      return list(tree);
    case 'code':
      return h('pre', { dir: 'auto' }, h('code', {}, tree.text));
    default:
      return h('p', { dir: 'auto' }, ...(tree.children ?? []).map(inline));
  }
}

/** @param {Tree} tree */
function list(tree) {
  const items = tree.items.map((/** @type {Tree[]} */ item) => h('li', {}, ...render(item)));
  return tree.ordered ? h('ol', { start: tree.start }, ...items) : h('ul', {}, ...items);
}

/** @param {Tree} tree @returns {HTMLElement | string} */
function inline(tree) {
  const children = () => tree.children.map(inline);
  switch (tree.type) {
    case 'strong':
      return h('strong', {}, ...children());
    case 'emphasis':
      return h('em', {}, ...children());
    case 'code':
      return h('code', {}, tree.text);
    case 'break':
      return h('br');
    case 'link':
      return SAFE.test(tree.href)
        ? h('a', { href: tree.href, rel: 'nofollow ugc noopener' }, ...children())
        : h('span', {}, ...children());
    default:
      return tree.text ?? '';
  }
}
