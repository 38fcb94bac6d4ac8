import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Deletion } from '../src/actions/comment/deletion.js';
import { ApiError } from '../src/live/api.js';
import { Thread } from '../src/live/thread.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeStorage, settled, snapshot } from './helpers.js';

const ITEM = 'tertulia:deletions:https://talk.example:s:k';

/** A page with one comment, whose storage others may share. */
class Rig {
  /** @type {string[]} */
  requests = [];
  /** What happens to the next requests; without any they are answered. @type {number[]} */
  statuses = [];
  /** @type {unknown[]} */
  errors = [];
  closing = new AbortController();
  thread = new Thread(snapshot([comment(1)]), 'oldest');

  constructor(backend = new FakeStorage()) {
    this.backend = backend;
    const context = {
      api: {
        url: (/** @type {string} */ path) => path,
        ask: async (/** @type {string} */ method, /** @type {string} */ url) => {
          this.requests.push(`${method} ${url}`);
          const status = this.statuses.shift();
          if (status !== undefined) throw new ApiError(status, {});
          return { comment: comment(1, { state: 'deleted', body: null, author: null }), seq: 11 };
        },
      },
      list: { cards: new Map(), update: () => {} },
      settings: { place: { server: 'https://talk.example', site: 's', key: 'k' } },
      signal: this.closing.signal,
      storage: new SafeStorage(() => this.backend),
      t: (/** @type {string} */ key) => key,
      thread: this.thread,
    };
    const announcer = { announce: () => {}, error: (/** @type {unknown} */ error) => this.errors.push(error) };
    this.deletion = new Deletion(/** @type {any} */ (context), /** @type {any} */ (announcer));
    this.deletion.start();
  }

  remove() {
    this.deletion.remove(/** @type {any} */ ({ comment: comment(1) }));
  }

  get isKept() {
    return this.backend.items.has(ITEM);
  }

  /** The page is left: what it sends outlives it, and nobody hears the answer's effect. */
  async leave() {
    this.deletion.stop();
    this.closing.abort();
    await settled();
  }
}

/** @param {number} ms */
async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  globalThis.addEventListener = () => {};
});
afterEach(() => mock.timers.reset());

test('a deletion is kept until it is answered', async () => {
  const rig = new Rig();
  rig.remove();
  await pass(7_999);
  assert.deepEqual([rig.requests, rig.isKept], [[], true]);
  await pass(1);
  assert.deepEqual([rig.requests, rig.isKept], [['DELETE /comments/c0001'], false]);
  assert.equal(rig.thread.comments.get('c0001')?.state, 'deleted');
});

test('a deletion whose page was left and whose request was refused for a while is made by the next page', async () => {
  for (const status of [0, 429, 503]) {
    const rig = new Rig();
    rig.statuses = [status];
    rig.remove();
    await rig.leave();
    assert.deepEqual([rig.requests.length, rig.isKept, rig.errors], [1, true, []]);
    const next = new Rig(rig.backend);
    await pass(8_000);
    assert.deepEqual([next.requests.length, next.isKept], [1, false]);
  }
});

test('what is refused for a while is tried again on the same page', async () => {
  const rig = new Rig();
  rig.statuses = [429, 429];
  rig.remove();
  await pass(8_000);
  await pass(60_100);
  await pass(60_100);
  assert.deepEqual([rig.requests.length, rig.isKept, rig.errors], [3, false, []]);
});

test('what was deleted meanwhile is done, and another refusal is told', async () => {
  for (const [status, errors] of [[410, 0], [404, 0], [403, 1]]) {
    const rig = new Rig();
    rig.statuses = [status];
    rig.remove();
    await pass(8_000);
    assert.deepEqual([rig.isKept, rig.errors.length], [false, errors]);
  }
});

test('what is undone on one page is not deleted by another', async () => {
  const rig = new Rig();
  rig.remove();
  const other = new Rig(rig.backend);
  await other.leave();
  assert.deepEqual(other.requests, []);
  const third = new Rig(rig.backend);
  rig.backend.removeItem(ITEM);
  await pass(8_000);
  assert.deepEqual([rig.requests, third.requests], [[], []]);
});

/** @type {[string, (backend: FakeStorage) => void][]} */
const losses = [
  ['was emptied', (backend) => backend.items.clear()],
  ['began to throw', (backend) => void (backend.isBroken = true)],
  ['has something else in its place', (backend) => backend.items.forEach((_, name) => backend.items.set(name, '{"c0001":"soon"}'))],
];
for (const [name, lose] of losses) {
  test(`what was deleted is deleted although the storage ${name} meanwhile`, async () => {
    const rig = new Rig();
    rig.remove();
    lose(rig.backend);
    await pass(8_000);
    assert.deepEqual(rig.requests, ['DELETE /comments/c0001']);
  });
}

test('a storage that throws keeps nothing and stops nothing', async () => {
  const backend = new FakeStorage();
  backend.isBroken = true;
  const rig = new Rig(backend);
  rig.remove();
  await pass(8_000);
  assert.equal(rig.requests.length, 1);
});
