/**
 * The text that a document tree is made from, for the field in which a comment is edited or quoted.
 *
 * @import { Node as Tree } from '../../live/wire.js'
 */
/** The text that parses to this tree. @param {Tree[]} blocks @returns {string} */
export function toSource(blocks) {
  let isOther = false;
  return blocks
    .map((tree, index) => {
      // two lists in a row stay two by their different marks
      isOther = tree.type === 'list' && blocks[index - 1]?.type === 'list' && !isOther;
      return blockSource(tree, isOther);
    })
    .join('\n\n');
}

/** @param {Tree} tree @param {boolean} isOther @returns {string} */
function blockSource(tree, isOther) {
  switch (tree.type) {
    case 'quote':
      return indent(toSource(tree.children), '> ', '> ');
    case 'list':
      return listSource(tree, isOther);
    case 'code':
      return fenced(tree);
    default:
      return inlineSource(tree.children).split('\n').map(guardLine).join('\n');
  }
}

/** @param {Tree} tree @param {boolean} isOther */
function listSource(tree, isOther) {
  const mark = (/** @type {number} */ index) =>
    tree.ordered ? `${(tree.start ?? 1) + index}${isOther ? ')' : '.'} ` : isOther ? '+ ' : '- ';
  return tree.items
    .map((/** @type {Tree[]} */ item, /** @type {number} */ index) =>
      indent(toSource(item), mark(index), ' '.repeat(mark(index).length)),
    )
    .join('\n');
}

/** @param {Tree} tree */
function fenced(tree) {
  const fence = '`'.repeat(Math.max(3, longestRun(tree.text) + 1));
  return `${fence}${tree.language ?? ''}\n${tree.text}\n${fence}`;
}

/** @param {string} text @param {string} first @param {string} others */
function indent(text, first, others) {
  return text
    .split('\n')
    .map((line, index) => ((index ? others : first) + line).trimEnd())
    .join('\n');
}

/** @param {Tree[]} trees @param {boolean} [inLink] @returns {string} */
function inlineSource(trees, inLink = false) {
  return trees.map((tree) => oneInline(tree, inLink)).join('');
}

/** @param {Tree} tree @param {boolean} inLink */
function oneInline(tree, inLink) {
  switch (tree.type) {
    case 'strong':
      return `**${inlineSource(tree.children, inLink)}**`;
    case 'emphasis':
      return `*${inlineSource(tree.children, inLink)}*`;
    case 'code':
      return codeSource(tree.text);
    case 'break':
      return '\n';
    case 'link':
      return linkSource(tree);
    default:
      return escape(tree.text ?? '', inLink);
  }
}

/** @param {string} text */
function codeSource(text) {
  const marks = '`'.repeat(longestRun(text) + 1);
  const room = /^`|`$|^ .* $/.test(text) ? ' ' : '';
  return marks + room + text + room + marks;
}

/** An address that stands for itself stays bare. @param {Tree} tree */
function linkSource({ href, children }) {
  const shown = children.length === 1 && children[0].type === 'text' ? children[0].text : '';
  if (shown === href || isShort(href, shown)) return shown;
  return `[${inlineSource(children, true)}](<${href.replace(/[<>\\]/g, '\\$&')}>)`;
}

/** @param {string} href @param {string} shown */
function isShort(href, shown) {
  return (/^www\./i.test(shown) && href === `https://${shown}`) || (shown.includes('@') && href === `mailto:${shown}`);
}

/** @param {string} text */
function longestRun(text) {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** Only what would be read as a mark is escaped, so that the text looks as it was typed. @param {string} text @param {boolean} inLink */
function escape(text, inLink) {
  const escaped = text
    .replace(/\\(?=[!-/:-@[-`{-~]|$)/g, '\\\\')
    .replace(/`/g, '\\`')
    .replace(/(?<!\s)\*|\*(?!\s)/g, '\\*')
    .replace(/(?<![\p{L}\p{N}])_(?!\s)|(?<!\s)_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/<(?=[a-z])/gi, '\\<')
    .replace(/\](?=\()/g, '\\]')
    .replace(/(https?):(?=\/\/)/gi, '$1\\:')
    .replace(/(?<![\p{L}\p{N}])(www)\.(?=\w)/giu, '$1\\.')
    .replace(/(?<=[\w.+%-])@(?=\w)/g, '\\@');
  return inLink ? escaped.replace(/(?<!\\)[[\]]/g, '\\$&') : escaped;
}

/** The start of a line that would begin a quote, a list or code. @param {string} line */
function guardLine(line) {
  return line
    .replace(/^(?=>|~~~|[-+*](?:\s|$))/, '\\')
    .replace(/^(\d{1,9})(?=[.)](?:\s|$))/, '$1\\');
}
