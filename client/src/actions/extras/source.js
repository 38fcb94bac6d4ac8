/**
 * The text that a document tree is made from, for the field in which a comment is edited or quoted: what the server reads
 * in it is the same tree again. tests/core/test_source.py tries that with texts of all kinds.
 *
 * @import { Node as Tree } from '../../live/wire.js'
 */
import { flanking } from './flanking.js';

// what needs a backslash only where something else in the text makes it a mark
const IF_PAIRED = '\u0000';
const IF_LISTED = '\u0001';
const ALWAYS = '\u0002';
const IN_LISTS = '\u0003';

const GUARDS = /[\u0001\u0002]/g;

const ADDRESS = /^(?:https?:\/\/|www\.)[\p{Script=Latin}\d.-]+(?::\d+)?(?:[/?#](?:[\p{L}\p{N}\p{M}\-_./?=&#%+~:@!$,;]|\([^()\s]*\))*)?$/iu;
const MAILBOX = /^[a-z0-9][\w.%+-]*@[a-z0-9.-]+$/i;
const NO_END = /[.,;:!?'*_~([{|]$|&#?\w+$/;
const ROOM_BEFORE = /(?:^|[\s("*:])$/;
const ROOM_AFTER = /^(?:[.,;:!?)"*]*(?:\s|$))/;

/** The text that parses to this tree. @param {Tree[]} blocks @returns {string} */
export function toSource(blocks) {
  const source = blocksSource(blocks, false);
  const hasLists = blocks.some(hasList);
  const isLone = source.match(GUARDS)?.length === 1 && !hasLists;
  return source.replaceAll(IF_LISTED, isLone ? '' : '\\').replaceAll(ALWAYS, '\\').replaceAll(IN_LISTS, hasLists ? '\\' : '');
}

/** @param {Tree} tree @returns {boolean} */
const hasList = ({ type, children }) => type === 'list' || (type === 'quote' && children.some(hasList));

/** @param {Tree[]} blocks @param {boolean} inList @returns {string} */
function blocksSource(blocks, inList) {
  let isOther = false;
  return blocks
    .map((tree, index) => {
      // two lists in a row stay two by their different marks
      isOther = tree.type === 'list' && blocks[index - 1]?.type === 'list' && !isOther;
      return blockSource(tree, isOther, inList);
    })
    .join('\n\n');
}

/** @param {Tree} tree @param {boolean} isOther @param {boolean} inList @returns {string} */
function blockSource(tree, isOther, inList) {
  switch (tree.type) {
    case 'quote':
      return indent(blocksSource(tree.children, inList), '> ', '> ');
    case 'list':
      return listSource(tree, isOther);
    case 'code':
      return fenced(tree);
    default:
      return paragraphSource(tree.children, inList);
  }
}

/** @param {Tree} tree @param {boolean} isOther */
function listSource(tree, isOther) {
  const mark = (/** @type {number} */ index) =>
    tree.ordered ? `${(tree.start ?? 1) + index}${isOther ? ')' : '.'} ` : isOther ? '+ ' : '- ';
  return tree.items
    .map((/** @type {Tree[]} */ item, /** @type {number} */ index) =>
      // a lone mark begins no list, and an empty quotation is nothing
      indent(blocksSource(item, true) || (index ? '' : '>'), mark(index), ' '.repeat(mark(index).length)),
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
    .map((line, index) => (line ? (index ? others : first) + line : (index ? others : first).trimEnd()))
    .join('\n');
}

// ---- paragraphs -----------------------------------------------------------------------------------------

/** @param {Tree[]} trees @param {boolean} inList */
function paragraphSource(trees, inList) {
  const source = inlineSource(trees);
  return (trees.some(isEmphasised) ? source.replaceAll(IF_PAIRED, '\\') : unescapeUnpaired(source))
    .split('\n')
    .map((line) => guardLine(line, inList) || '\\')
    .join('\n');
}

/** @param {Tree} tree @returns {boolean} */
const isEmphasised = ({ type, children }) => type === 'strong' || type === 'emphasis' || (type === 'link' && children.some(isEmphasised));

/** Marks of which none can open before one that can close stay as they were typed. @param {string} source */
function unescapeUnpaired(source) {
  const plain = source.replaceAll(IF_PAIRED, '');
  for (const mark of ['*', '_']) {
    let isOpen = false;
    let isPaired = false;
    for (const { index, 0: run } of plain.matchAll(mark === '*' ? /\*+/g : /_+/g)) {
      const { opens, closes } = flanking(plain.slice(0, index), run, plain.slice(index + run.length));
      isPaired ||= isOpen && closes;
      isOpen ||= opens;
    }
    source = source.replaceAll(IF_PAIRED + mark, (isPaired ? '\\' : '') + mark);
  }
  return source;
}

/**
 * From the end, since what follows decides how an inline is written.
 *
 * @param {Tree[]} trees
 * @param {string} [before] What stands before them.
 * @param {string} [after] What follows them.
 * @param {boolean} [inLink]
 * @param {boolean} [isInside] A strong or emphasised text.
 */
function inlineSource(trees, before = '', after = '', inLink = false, isInside = false) {
  let source = '';
  for (let index = trees.length - 1; index >= 0; index--) {
    const preceding = index ? lastOf(trees[index - 1]) : before;
    const edges = { isFirst: !index && /[*_]$/.test(before), isLast: index === trees.length - 1 && /^[*_]/.test(after), isInside };
    source = oneInline(trees[index], preceding, source + after, inLink, edges) + source;
  }
  return source;
}

/** As much of its end as decides how the next is written. @param {Tree} tree */
function lastOf({ type, text = '' }) {
  return type === 'text' ? text.slice(-9).replace(/[*_]/g, '~') : type === 'break' ? '\n' : '`';
}

/** @typedef {{isFirst: boolean, isLast: boolean, isInside: boolean}} Edges In a strong or emphasised text: at its edges, and at all. */

/** @param {Tree} tree @param {string} before @param {string} after @param {boolean} inLink @param {Edges} edges */
function oneInline(tree, before, after, inLink, edges) {
  switch (tree.type) {
    case 'strong':
    case 'emphasis':
      return emphasised(tree, before, after.replaceAll(IF_PAIRED, '\\'), inLink, edges);
    case 'code':
      return codeSource(tree.text);
    case 'break':
      return edges.isFirst ? '\\\n' : '\n';
    case 'link':
      return linkSource(tree, before, after);
    default:
      return escape(tree.text ?? '', before, after, inLink);
  }
}

/** @param {Tree} tree @param {string} before @param {string} after @param {boolean} inLink @param {Edges} edges */
function emphasised({ type, children }, before, after, inLink, edges) {
  // three marks in a row are read as both, the strong text inside
  const isBoth = type === 'emphasis' && children.length === 1 && children[0].type === 'strong';
  const inner = isBoth ? children[0].children : children;
  const length = isBoth ? 3 : type === 'strong' ? 2 : 1;
  const written = (/** @type {string} */ mark) => mark + inlineSource(inner, before + mark, mark + after, inLink, true) + mark;
  const [usual, other] = ['*'.repeat(length), '_'.repeat(length)];
  const source = written(usual);
  const isMerged = before.endsWith('*') || after.startsWith('*') || (isEmphasised(inner[0]) && source[length] === '*')
    || (isEmphasised(inner[inner.length - 1]) && source[source.length - length - 1] === '*');
  if (!isMerged && !(edges.isInside && isAmbiguous(before, source.slice(length, -length), after))) return source;
  const others = written(other);
  const inside = others.slice(length, -length).replaceAll(IF_PAIRED, '\\');
  const fits = flanking(before, other, inside).opens && flanking(inside, other, after).closes && !isBesideWord(before, after, edges);
  return fits && !before.endsWith('_') && !after.startsWith('_') ? others : source;
}

/** Whether what opens could close, or the other way round. @param {string} before @param {string} inside @param {string} after */
const isAmbiguous = (before, inside, after) => flanking(before, '*', inside).closes || flanking(inside, '*', after).opens;

/** Whether the mark around this one would have a word outside and, with another mark here, punctuation inside. @param {string} before @param {string} after @param {Edges} edges */
function isBesideWord(before, after, { isFirst, isLast }) {
  return (isFirst && !flanking(before.replace(/[*_]+$/, ''), '*', '.').opens) || (isLast && !flanking('.', '*', after.replace(/^[*_]+/, '')).closes);
}

/** @param {string} text */
function codeSource(text) {
  const marks = '`'.repeat(longestRun(text) + 1);
  const room = /^`|`$|^ .*[^ ].* $/.test(text) ? ' ' : '';
  return marks + room + text + room + marks;
}

/** An address that stands for itself stays bare where nothing beside it could be read as part of it. @param {Tree} tree @param {string} before @param {string} after */
function linkSource({ href, children }, before, after) {
  const shown = children.length === 1 && children[0].type === 'text' ? children[0].text : '';
  const plain = shown.replaceAll('"', '%22').replace(/^https?:/i, (/** @type {string} */ scheme) => scheme.toLowerCase());
  const isShort = (/^www\./i.test(shown) && href === `https://${plain}`) || (shown.includes('@') && href === `mailto:${shown}`);
  if (isShort || href === plain) {
    const isAddress = ADDRESS.test(shown.replace(/(?<=\?.*)"[^"]*"/g, '')) || MAILBOX.test(shown);
    if (isAddress && !NO_END.test(shown) && ROOM_BEFORE.test(before) && ROOM_AFTER.test(after)) return shown;
    if ((href === plain && plain.length === shown.length) || MAILBOX.test(shown)) return `<${shown}>`;
  }
  return `[${inlineSource(children, '[', '', true)}](<${href.replace(/&(?=#?\w+;)/g, '\\&')}>)`;
}

/** @param {string} text */
function longestRun(text) {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** Only what would be read as a mark is escaped, so that the text looks as it was typed. @param {string} text @param {string} before @param {string} after @param {boolean} inLink @returns {string} */
function escape(text, before, after, inLink) {
  // an address in the text of a link is no link; emphasis beside it needs something that is no letter between
  const address = inLink && (/^[*_]/.test(after) || /[*_`]$/.test(before)) && /^([^]*?)(?<!\S)(https?:\/\/[\w./-]*\w)$/i.exec(text);
  if (address) return `${escape(address[1], before, '<', inLink)}<${address[2]}>`;
  const escaped = text
    .replace(/\\(?=[!-/:-@[-`{-~]|$)/g, '\\\\')
    .replace(/`/g, '\\`')
    .replace(/\*+|_+/g, (run, at, /** @type {string} */ whole) => guardRun(run, whole.slice(0, at), whole.slice(at + run.length)))
    .replace(/<(?=[a-z][^<>\s]*[:@])/gi, '\\<')
    .replace(/\](?=\()/g, '\\]')
    .replace(/(https?):(?=\/\/(?:\S|$))/gi, '$1\\:')
    .replace(/(www)\.(?=[\p{L}\p{N}_-]+\.[\p{L}\p{N}_])/giu, '$1\\.')
    .replace(/(?<=[\w.+%-])@(?=[\p{L}\p{N}][\p{L}\p{N}_-]*\.)/gu, '\\@')
    .replace(after[0] === '[' ? /(?<![\p{L}\p{N}])!$/u : /(?!)/, '\\!');
  return inLink ? escaped.replace(/(?<!\\)[[\]]/g, '\\$&') : escaped;
}

/** Each mark of a run, if the run could open or close anything. @param {string} run @param {string} before @param {string} after */
function guardRun(run, before, after) {
  if (before && after) {
    const { opens, closes } = flanking(before, run, after);
    if (!opens && !closes) return run;
  }
  return run.replace(/./g, `${IF_PAIRED}$&`);
}

/** The start of a line that would begin a quote, a list or code. @param {string} line @param {boolean} inList */
function guardLine(line, inList) {
  if (inList && /^[-+* \t]+$/.test(line)) return ALWAYS + line;
  const bullet = /^[-+*](?=\s|$)([> \t]*$)?/.exec(line);
  if (bullet) return (inList || bullet[1] ? ALWAYS : IF_LISTED) + line;
  const number = /^(\d{1,9})(?=[.)](?:\s|$))/.exec(line)?.[1];
  if (!number) return line.replace(/^(?=>+(?:\s|$)|~~~)/, ALWAYS);
  const isFirst = Number(number) <= 1;
  return number + (isFirst || inList ? ALWAYS : number.length > 3 ? IN_LISTS : IF_LISTED) + line.slice(number.length);
}
