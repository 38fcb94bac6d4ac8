import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settled } from './helpers.js';

/** @typedef {{site: string, server: string, keys: string[], href: string}} Request */

/** As much of an element as the count needs. */
class FakeElement extends EventTarget {
  /** @type {Map<string, string>} */
  attributes = new Map();
  isConnected = false;
  textContent = 'Comments';
  pageLanguage = 'en';

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  closest() {
    return { lang: this.pageLanguage };
  }
}

/** @type {any} */
let Count = null;
/** @type {Array<() => void>} */
let timers = [];
/** @type {Request[]} */
let requests = [];
/** @type {(request: Request) => {status: number, body?: any}} */
let answer = counted;

const defined = new Map();
Object.assign(globalThis, {
  HTMLElement: FakeElement,
  document: { currentScript: { src: 'https://talk.example/count.js' } },
  location: { href: 'https://news.example/a' },
  customElements: { get: (/** @type {string} */ name) => defined.get(name), define: (/** @type {string} */ name, /** @type {any} */ element) => defined.set(name, element) },
  fetch: async (/** @type {string} */ href) => {
    const url = new URL(href);
    const request = { site: url.searchParams.get('site') ?? '', server: url.origin, keys: url.searchParams.getAll('key'), href };
    requests.push(request);
    const { status, body } = answer(request);
    if (!status) throw new TypeError('no network');
    return { status, ok: status === 200, json: async () => JSON.parse(body ?? '') };
  },
});
const setTimeoutOfNode = globalThis.setTimeout;

/** Every key has as many comments as it has letters. @param {Request} request */
function counted({ keys }) {
  return { status: 200, body: JSON.stringify({ counts: keys.map((key) => ({ key, count: key.length })) }) };
}

/** An element that was put into the page. @param {Record<string, string>} attributes */
function put(attributes) {
  const element = new Count();
  for (const [name, value] of Object.entries(attributes)) element.attributes.set(name, value);
  element.isConnected = true;
  element.connectedCallback();
  return element;
}

/** Lets those that wait ask, and the answers come. */
async function asked() {
  const due = timers;
  timers = [];
  for (const work of due) work();
  await settled();
  return requests;
}

beforeEach(async () => {
  globalThis.setTimeout = /** @type {any} */ ((/** @type {() => void} */ work) => timers.push(work));
  await import('../src/count.js');
  Count = defined.get('tertulia-count');
  timers = [];
  requests = [];
  answer = counted;
});

test.after(() => {
  globalThis.setTimeout = setTimeoutOfNode;
});

test('all elements of a page ask once, and each key once', async () => {
  const elements = ['a', 'bb', 'a', 'ccc'].map((key) => put({ key }));
  assert.deepEqual(elements.map(({ textContent }) => textContent), Array(4).fill('Comments'));
  assert.equal(timers.length, 1);
  const [request, ...more] = await asked();
  assert.deepEqual(request.keys, ['a', 'bb', 'ccc']);
  assert.deepEqual([request.site, request.server], ['default', 'https://talk.example']);
  assert.deepEqual(more, []);
  assert.deepEqual(elements.map(({ textContent }) => textContent), ['1', '2', '1', '3']);
  assert.deepEqual(elements.map(({ count }) => count), [1, 2, 1, 3]);
});

test('those that come later ask together again', async () => {
  put({ key: 'a' });
  await asked();
  put({ key: 'b' });
  put({ key: 'c' });
  await asked();
  assert.deepEqual(requests.map(({ keys }) => keys), [['a'], ['b', 'c']]);
});

test('a request has at most 100 keys, and no longer address than others let through', async () => {
  for (let n = 0; n < 250; n++) put({ key: `k${n}` });
  await asked();
  assert.deepEqual(requests.map(({ keys }) => keys.length), [100, 100, 50]);
  requests = [];
  const long = Array.from({ length: 40 }, (_, n) => `https://news.example/${'ộ'.repeat(50)}/${n}`);
  for (const key of long) put({ key });
  await asked();
  assert.deepEqual(requests.flatMap(({ keys }) => keys), long);
  assert.ok(requests.length > 1);
  for (const { href } of requests) assert.ok(href.length <= 6000, `${href.length}`);
});

test('a key that is longer than an address may be is asked for alone', async () => {
  const elements = ['ộ'.repeat(800), 'a', 'b', 'ộ'.repeat(801)].map((key) => put({ key }));
  await asked();
  assert.deepEqual(requests.map(({ keys }) => keys.length), [1, 2, 1]);
  assert.deepEqual(elements.map(({ count }) => count), [800, 1, 1, 801]);
});

test('each server and each site is asked by itself', async () => {
  put({ key: 'a' });
  put({ key: 'b', site: 'other & more' });
  put({ key: 'c', server: 'https://elsewhere.example/x' });
  put({ key: 'd', server: '/here' });
  await asked();
  assert.deepEqual(requests.map(({ server, site, keys }) => [server, site, ...keys]), [
    ['https://talk.example', 'default', 'a', 'd'],
    ['https://talk.example', 'other & more', 'b'],
    ['https://elsewhere.example', 'default', 'c'],
  ]);
});

test('what stands in the element stays where there is no answer', async () => {
  /** @type {Array<{status: number, body?: string}>} */
  const troubles = [{ status: 0 }, { status: 403 }, { status: 200, body: 'no JSON' }, { status: 200, body: '{}' }];
  for (const trouble of troubles) {
    answer = () => trouble;
    const element = put({ key: 'a' });
    await asked();
    assert.deepEqual([element.textContent, element.count], ['Comments', null]);
  }
  assert.equal(requests.length, troubles.length);
});

test('a key that cannot be one does not cost the others their numbers', async () => {
  answer = (request) => (request.keys.includes('bad') ? { status: 422 } : counted(request));
  const elements = ['a', 'bad', 'cc', 'dd'].map((key) => put({ key }));
  await asked();
  assert.deepEqual(elements.map(({ count }) => count), [1, null, 2, 2]);
});

test('half of a surrogate pair is asked for as what it is not, and nobody else minds', async () => {
  const [half, whole] = [put({ key: '\ud800' }), put({ key: 'b' })];
  await asked();
  assert.deepEqual([half.count, whole.count], [null, 1]);
});

test('no key, no server or no place in the page asks for nothing', async () => {
  put({ key: '' });
  put({ key: 'a', server: 'https://' });
  put({ key: 'b' }).isConnected = false;
  assert.deepEqual(await asked(), []);
});

test('another key is another number, and a late answer for the first is none', async () => {
  const element = put({ key: 'a' });
  /** @type {number[]} */
  const told = [];
  element.addEventListener('tertulia-count', (/** @type {any} */ { detail, bubbles, composed }) => {
    told.push(detail.count);
    assert.ok(bubbles && composed);
  });
  const late = asked();
  element.attributes.set('key', 'bb');
  element.attributeChangedCallback();
  await late;
  assert.equal(element.count, null);
  await asked();
  assert.deepEqual([element.textContent, told], ['2', [2]]);
});

test('a number is written as the language of its place does it', async () => {
  answer = ({ keys }) => ({ status: 200, body: JSON.stringify({ counts: keys.map((key) => ({ key, count: 12_345 })) }) });
  const written = { en: '12,345', vi: '12.345', '': (12_345).toLocaleString(), 'no language': '12345' };
  for (const [language, expected] of Object.entries(written)) {
    const element = put({ key: 'a' });
    element.pageLanguage = language;
    await asked();
    assert.equal(element.textContent, expected);
  }
});
