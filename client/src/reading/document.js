/**
 * The document tree of a comment as DOM, made of elements and text nodes alone.
 *
 * @import { Node as Tree } from '../live/wire.js'
 */
import { h } from '../page/dom.js';

const SAFE = /^(?:https?:\/\/|mailto:)/i;

/**
 * What stands in a quotation or a list has the direction of the whole, so that bars and bullets are on its side.
 *
 * @param {Tree[]} blocks
 * @param {'auto' | false} [dir]
 * @returns {HTMLElement[]}
 */
export function render(blocks, dir = 'auto') {
  return blocks.map((tree) => block(tree, dir));
}

/** @param {Tree} tree @param {'auto' | false} dir @returns {HTMLElement} */
function block(tree, dir) {
  switch (tree.type) {
    case 'quote':
      return h('blockquote', { dir }, ...render(tree.children, false));
    case 'list':
      return list(tree, dir);
    case 'code':
      return h('pre', { dir: 'auto' }, h('code', {}, tree.text));
    default:
      return h('p', { dir }, ...(tree.children ?? []).map(inline));
  }
}

/** @param {Tree} tree @param {'auto' | false} dir */
function list(tree, dir) {
  const items = tree.items.map((/** @type {Tree[]} */ item) => h('li', {}, ...render(item, false)));
  return tree.ordered ? h('ol', { dir, start: tree.start }, ...items) : h('ul', { dir }, ...items);
}

/** @param {Tree} tree @returns {HTMLElement | string} */
function inline(tree) {
  const children = () => tree.children.map(inline);
  switch (tree.type) {
    case 'strong':
    case 'emphasis':
      return h(tree.type === 'strong' ? 'strong' : 'em', {}, ...children());
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
