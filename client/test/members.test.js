import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OWN } from '../members.js';

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const read = (/** @type {string} */ path) => readFileSync(at(path), 'utf8');
/** @param {string} text @param {RegExp} pattern One group, which is a name. */
const names = (text, pattern) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
/** @param {string} text */
const code = (text) => text.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const sources = new Map(
  readdirSync(at('../src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js')).map((name) => [name, code(read(`../src/${name}`))]),
);
const all = [...sources.values()].join('\n');

/** @param {Set<string | undefined>} others */
const shared = (others) => OWN.filter((name) => others.has(name));

test('no browser knows a name that is shortened', () => {
  const platforms = readdirSync(at('../node_modules/@typescript'));
  const libraries = platforms.flatMap((name) => ['dom', 'es5', 'esnext'].map((part) => read(`../node_modules/@typescript/${name}/lib/lib.${part}.d.ts`)));
  const members = names(libraries.join('\n'), /^\s+(?:readonly |get |set |static )*(\w+)\??\s*[(:<]/gm);
  assert.ok(members.has('textContent') && members.has('heading'), 'the libraries are read');
  assert.deepEqual(shared(members), []);
});

test('no message of the server or to it has one', () => {
  const modules = readdirSync(at('../../server/tertulia/protocol')).filter((name) => name.endsWith('.py'));
  const fields = names(modules.map((name) => read(`../../server/tertulia/protocol/${name}`)).join('\n'), /^ {4}(\w+): /gm);
  assert.ok(fields.has('ancestors') && fields.has('retry_after'));
  assert.deepEqual(shared(fields), []);
  const sentences = new Set(Object.keys(JSON.parse(read('../../server/tertulia/languages/en.json'))));
  assert.deepEqual(shared(sentences), []);
});

test('no page knows one: attributes, members and events of the element', () => {
  const element = sources.get('element.js') ?? '';
  const open = names(element, /^ {2}(?:async |get )?([a-z]\w+)\([^)]*\) \{$/gm);
  open.delete('adoptStyles'); // ours alone
  const details = new Set([...all.matchAll(/emit\('[\w-]+', \{([^}]*)/g)].flatMap(([, fields = '']) => [...names(fields, /(\w+)\s*(?::|,|$)/g)]));
  assert.ok(open.has('goTo') && open.has('setToken') && details.has('total'));
  assert.deepEqual(shared(new Set([...open, ...details, ...names(element, /'([\w-]+)'/g)])), []);
});

test('nothing that another version reads has one: what is stored, and what windows tell one another', () => {
  for (const name of ['sharing/sharedLink.js', 'sharing/sparing.js', 'actions/comment/storedNumbers.js', 'actions/posting/begun.js']) {
    assert.deepEqual(shared(names(sources.get(name) ?? assert.fail(name), /(?<!#)\b(\w+)\b/g)), [], name);
  }
  const stored = names(sources.get('actions/posting/postQueue.js') ?? '', /\b(\w+)(?=[:,] |\b)/g);
  assert.deepEqual(shared(stored).filter((name) => name !== 'retryAfter'), [], 'an error has it, which is not stored');
});

test('each is a member of ours, and is called by its name alone', () => {
  const used = names(all, /[.{,\s](\w+)\b/g);
  assert.deepEqual(OWN.filter((name) => !used.has(name)), []);
  assert.deepEqual(shared(names(all, /\['(\w+)'\]|'(\w+)' in\b/g)), []);
  // a method that is named by a string is shortened where the string says so: @__KEY__
  const text = [...sources.keys()].map((name) => read(`../src/${name}`)).join('\n');
  assert.deepEqual(shared(names(text, /notify\('(\w+)'/g)), []);
});
