import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSource } from '../src/actions/extras/source.js';
import { render } from '../src/reading/document.js';

/** @typedef {import('../src/live/wire.js').Node} Node */

const text = (/** @type {string} */ words) => ({ type: 'text', text: words });
const paragraph = (/** @type {Node[]} */ ...children) => ({ type: 'paragraph', children });
const link = (/** @type {string} */ href, /** @type {string} */ words) => ({ type: 'link', href, children: [text(words)] });

// each tree is what the server makes of the text beside it
const SOURCES = /** @type {[string, Node[]][]} */ ([
  ['Hello', [paragraph(text('Hello'))]],
  ['one\ntwo\n\nthree', [paragraph(text('one'), { type: 'break' }, text('two')), paragraph(text('three'))]],
  ['**a *b* c**', [paragraph({ type: 'strong', children: [text('a '), { type: 'emphasis', children: [text('b')] }, text(' c')] })]],
  ['`x` and ``a`b``', [paragraph({ type: 'code', text: 'x' }, text(' and '), { type: 'code', text: 'a`b' })]],
  ['snake_case, 2 * 3 and a - b', [paragraph(text('snake_case, 2 * 3 and a - b'))]],
  ['\\*not so\\* and \\_this\\_', [paragraph(text('*not so* and _this_'))]],
  ['\\> no quote\n\\- no list\n1\\. no number', [paragraph(text('> no quote'), { type: 'break' }, text('- no list'), { type: 'break' }, text('1. no number'))]],
  ['\\<https://a.example>'.replace('https:', 'https\\:'), [paragraph(text('<https://a.example>'))]],
  ['> one\n>\n> two', [{ type: 'quote', children: [paragraph(text('one')), paragraph(text('two'))] }]],
  ['- a\n- b\n\n  - c', [{ type: 'list', ordered: false, items: [[paragraph(text('a'))], [paragraph(text('b')), { type: 'list', ordered: false, items: [[paragraph(text('c'))]] }]] }]],
  ['3. x\n4. y', [{ type: 'list', ordered: true, start: 3, items: [[paragraph(text('x'))], [paragraph(text('y'))]] }]],
  ['- a\n\n+ b', [{ type: 'list', ordered: false, items: [[paragraph(text('a'))]] }, { type: 'list', ordered: false, items: [[paragraph(text('b'))]] }]],
  ['```js\nlet a;\n```', [{ type: 'code', language: 'js', text: 'let a;' }]],
  ['````\n```\n````', [{ type: 'code', text: '```' }]],
  ['see https://a.example/b_c', [paragraph(text('see '), link('https://a.example/b_c', 'https://a.example/b_c'))]],
  ['www.a.example or me@a.example', [paragraph(link('https://www.a.example', 'www.a.example'), text(' or '), link('mailto:me@a.example', 'me@a.example'))]],
  ['[the page](<https://a.example/(b)>)', [paragraph(link('https://a.example/(b)', 'the page'))]],
]);

test('a tree is told as the text that makes it', () => {
  for (const [source, tree] of SOURCES) assert.equal(toSource(tree), source);
});

// ---- as DOM ---------------------------------------------------------------------------------------------

/** As much of a document as `render` may use; anything else throws. */
class FakeElement {
  /** @type {Record<string, string>} */
  attributes = {};
  /** @type {(FakeElement | string)[]} */
  children = [];
  constructor(/** @type {string} */ tag) {
    this.tag = tag;
  }
  setAttribute(/** @type {string} */ name, /** @type {string} */ value) {
    this.attributes[name] = value;
  }
  removeAttribute() {}
  append(/** @type {(FakeElement | string)[]} */ ...children) {
    this.children.push(...children);
  }
  /** @returns {any} */
  toJSON() {
    const attributes = Object.entries(this.attributes).map(([name, value]) => `${name}=${value}`);
    return [[this.tag, ...attributes].join(' '), ...this.children.map((child) => (typeof child === 'string' ? child : child.toJSON()))];
  }
}

/** @param {Node[]} tree */
function drawn(tree) {
  Object.assign(globalThis, { document: { createElement: (/** @type {string} */ tag) => new FakeElement(tag) } });
  return JSON.parse(JSON.stringify(render(tree)));
}

test('text becomes text, whatever it looks like', () => {
  assert.deepEqual(drawn([paragraph(text('<img src=x onerror=alert(1)>'))]), [['p dir=auto', '<img src=x onerror=alert(1)>']]);
});

test('every block and inline has its element', () => {
  const tree = [
    paragraph({ type: 'strong', children: [text('a')] }, { type: 'emphasis', children: [text('b')] }, { type: 'code', text: 'c' }, { type: 'break' }),
    { type: 'quote', children: [paragraph(text('q'))] },
    { type: 'list', ordered: true, start: 3, items: [[paragraph(text('i'))]] },
    { type: 'list', ordered: false, items: [[]] },
    { type: 'code', text: 'x\ny' },
  ];
  assert.deepEqual(drawn(tree), [
    ['p dir=auto', ['strong', 'a'], ['em', 'b'], ['code', 'c'], ['br']],
    ['blockquote dir=auto', ['p', 'q']],
    ['ol dir=auto start=3', ['li', ['p', 'i']]],
    ['ul dir=auto', ['li']],
    ['pre dir=auto', ['code', 'x\ny']],
  ]);
});

test('links lead to the web or a mailbox only', () => {
  assert.deepEqual(drawn([paragraph(link('https://a.example', 'a'))]), [['p dir=auto', ['a href=https://a.example rel=nofollow ugc noopener', 'a']]]);
  for (const href of ['javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', '//a.example', 'vbscript:x']) {
    assert.deepEqual(drawn([paragraph(link(href, 'a'))]), [['p dir=auto', ['span', 'a']]]);
  }
});

test('what a later server may send is shown as far as it is known', () => {
  assert.deepEqual(drawn([{ type: 'spoiler', children: [text('a')] }, { type: 'figure' }]), [['p dir=auto', 'a'], ['p dir=auto']]);
});
