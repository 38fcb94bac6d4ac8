import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const SRC = new URL('../src/', import.meta.url).pathname;

/** Each room and those that it may import from; types may come from anywhere. @type {Record<string, string[]>} */
const ROOMS = {
  page: [],
  live: ['page'],
  reading: ['page'],
  actions: ['page', 'live', 'reading'],
  '.': ['page', 'live', 'reading'],
};

/** @param {string} path Of a module, from src/. @returns {string[]} What it imports at run time, from src/. */
function imports(path) {
  const text = readFileSync(SRC + path, 'utf8').replace(/\/\*[^]*?\*\//g, '');
  const found = [...text.matchAll(/^(?:import|export)\b[^'\n]*'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm)];
  return found.map(([, written, later]) => normalize(join(dirname(path), written ?? later)));
}

/** Only the two loaders know the second file. */
const LOADERS = ['bundles.js', 'bundles.full.js'];
/** @param {string} path The folders of the second file are one room. */
const room = (path) => (path.includes('/') ? path.split('/')[0] : '.');
const modules = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));

test('imports go from room to room in one direction', () => {
  assert.ok(modules.length > 40);
  for (const path of modules.filter((one) => !LOADERS.includes(one))) {
    for (const imported of imports(path)) {
      assert.ok(room(imported) === room(path) || ROOMS[room(path)].includes(room(imported)), `${path} imports ${imported}`);
    }
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
