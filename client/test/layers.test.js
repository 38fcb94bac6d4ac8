import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const SRC = new URL('../src/', import.meta.url).pathname;

const BELOW = ['page', 'live', 'reading'];
/** The rooms of the second file, each above those before it. */
const FEATURES = ['actions', 'actions/about', 'actions/extras', 'actions/browse', 'actions/threads', 'actions/compose', 'actions/posting', 'actions/comment', 'actions/index.js'];
/** Each room and those that it may import from. @type {Record<string, string[]>} */
const ROOMS = {
  page: [],
  live: ['page'],
  reading: ['page'],
  diagnosis: ['page', 'live'],
  sharing: ['page', 'live'],
  signing: ['page'],
  desk: ['page', 'live'],
  '.': BELOW,
  ...Object.fromEntries(FEATURES.map((one, index) => [one, [...BELOW, 'sharing', ...FEATURES.slice(0, index)]])),
};
/** Those from which it may have types, too. @type {Record<string, string[]>} */
const TYPES = { 'actions/extras': ['signing'], reading: ['live'], '.': ['actions', 'actions/index.js', 'diagnosis'] };

const COMMENT = /\/\*[^]*?\*\//g;

/** @param {string} path */
const source = (path) => readFileSync(SRC + path, 'utf8');

/** @param {string} path @param {Iterable<RegExpMatchArray>} found @returns {string[]} Modules, from src/. */
function modulesOf(path, found) {
  return [...found].map(([, written, other]) => normalize(join(dirname(path), written ?? other)));
}

/** @param {string} path Of a module, from src/. @returns {string[]} What it imports at run time. */
function imports(path) {
  const code = source(path).replace(COMMENT, '');
  return modulesOf(path, code.matchAll(/^(?:import|export)\b[^'\n]*'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm));
}

/** @param {string} path @returns {string[]} Whose types it knows. */
function types(path) {
  const comments = [...source(path).matchAll(COMMENT)].join('\n');
  return modulesOf(path, comments.matchAll(/@import\b[^']*'(\.[^']+)'|\bimport\('(\.[^']+)'\)/g));
}

/** @param {string} path */
const room = (path) => (path in ROOMS ? path : dirname(path));

/** Only these know the other files. */
const LOADERS = ['bundles.js', 'bundles.full.js', 'actions/extras/load.js', 'actions/extras/load.full.js', 'actions/extras/loadLetters.js', 'actions/extras/loadLetters.full.js', 'actions/extras/loadSigning.js', 'actions/extras/loadSigning.full.js', 'actions/about/load.js', 'actions/about/load.full.js', 'actions/threads/load.js', 'actions/threads/load.full.js', 'sharing/load.js', 'sharing/load.full.js'];
const modules = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));

test('imports go from room to room in one direction', () => {
  assert.ok(modules.length > 40);
  for (const path of modules.filter((one) => !LOADERS.includes(one))) {
    for (const imported of imports(path)) {
      assert.ok(room(imported) === room(path) || ROOMS[room(path)].includes(room(imported)), `${path} imports ${imported}`);
    }
  }
});

test('no module knows a type of a room above its own', () => {
  const known = modules.flatMap((path) => types(path).map((one) => [path, one]));
  assert.ok(known.length > 60);
  for (const [path, one] of known) {
    const allowed = [room(path), ...ROOMS[room(path)], ...(TYPES[room(path)] ?? [])];
    assert.ok(allowed.includes(room(one)), `${path} knows a type of ${one}`);
  }
});

test('no module imports itself, however far around', () => {
  const graph = new Map(modules.map((path) => [path, imports(path).filter((one) => one.endsWith('.js'))]));
  /** @type {(path: string, above: string[]) => void} */
  const visit = (path, above) => {
    assert.ok(!above.includes(path), [...above, path].join(' → '));
    for (const next of graph.get(path) ?? []) visit(next, [...above, path]);
  };
  for (const path of modules) visit(path, []);
});

test('only thread.js writes the fields of a thread', () => {
  const written = /\bthread\.\w+(?:\.\w+|\[\w+\])? (?:=|[-+]=) |\bthread\.\w+(?:\+\+|--)|\bthread\.\w+\.(?:set|delete|push|splice)\(/;
  for (const path of modules.filter((one) => one !== 'live/thread.js')) {
    assert.doesNotMatch(source(path).replace(COMMENT, ''), written, path);
  }
});

test('the discussion knows no feature by name', () => {
  const features = modules.filter((path) => /^actions\/\w+\/\w+\.js$/.test(path)).map((path) => /\/(\w+)\.js$/.exec(path)?.[1]);
  const words = new RegExp(`\\b(?:actions|controllers)\\??\\.(?:${features.join('|')})\\b`, 'i');
  for (const path of modules.filter((one) => room(one) === '.')) assert.doesNotMatch(source(path), words, path);
});
