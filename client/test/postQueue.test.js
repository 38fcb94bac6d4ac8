import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../src/live/api.js';
import { isPassing, newKey, PostQueue } from '../src/actions/posting/postQueue.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeClock, FakeStorage, settled, platform } from './helpers.js';

const DRAFT = { body: 'Hello', name: 'Mai', parent_id: null };

class Rig {
  clock = new FakeClock();
  /** What the server got, by key. @type {Map<string, string>} */
  server = new Map();
  /** @type {string[]} */
  tried = [];
  /** @type {string[]} */
  states = [];
  /** What happens to the next requests. @type {(() => void)[]} */
  fates = [];

  constructor(backend = new FakeStorage()) {
    this.backend = backend;
    this.queue = this.make();
  }

  make() {
    return new PostQueue({
      storage: new SafeStorage(() => this.backend),
      name: 'outbox',
      send: async (post) => {
        this.tried.push(post.key);
        const fate = this.fates.shift();
        if (fate !== lostAnswer) fate?.();
        this.server.set(post.key, post.body);
        if (fate === lostAnswer) fate();
        return { comment: comment(1), seq: 1 };
      },
      changed: (_, state) => void this.states.push(state),
      platform: platform(this.clock),
    });
  }
}

const lostAnswer = () => {
  throw new ApiError(0);
};
const offline = () => {
  throw new ApiError(0);
};
/** @param {number} status @param {object} [problem] */
const refuse = (status, problem = {}) => () => {
  throw new ApiError(status, problem);
};

test('a post is in the storage before its request, and gone after the answer', async () => {
  const rig = new Rig();
  /** @type {string | null} */
  let stored = null;
  rig.fates = [() => (stored = rig.backend.getItem('outbox'))];
  await rig.queue.add(DRAFT);
  assert.match(stored ?? '', /Hello/);
  assert.equal(rig.backend.getItem('outbox'), null);
  assert.deepEqual(rig.states, ['sending', 'sending', 'done']);
});

test('a lost answer is retried with the same key: said once', async () => {
  const rig = new Rig();
  rig.fates = [lostAnswer];
  await rig.queue.add(DRAFT);
  assert.equal(rig.states.at(-1), 'queued');
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.tried.length, new Set(rig.tried).size, rig.server.size], [2, 1, 1]);
  assert.equal(rig.states.at(-1), 'done');
});

test('offline, reloaded, online: sent once, in order, and the queue is empty', async () => {
  const rig = new Rig();
  rig.fates = [offline, offline];
  await rig.queue.add(DRAFT);
  await rig.queue.add({ ...DRAFT, body: 'Second' });
  rig.queue.close();
  rig.fates = [];
  const queue = rig.make();
  await queue.start();
  assert.deepEqual([...rig.server.values()], ['Hello', 'Second']);
  assert.deepEqual([queue.pending, rig.backend.getItem('outbox')], [[], null]);
  await rig.clock.pass(600_000);
  assert.equal(rig.server.size, 2);
});

test('too much or a broken server is retried after what Retry-After says', async () => {
  for (const status of [429, 500, 503]) {
    const rig = new Rig();
    rig.fates = [refuse(status, { retry_after: 30 })];
    await rig.queue.add(DRAFT);
    await rig.clock.pass(29_999);
    assert.equal(rig.tried.length, 1);
    await rig.clock.pass(1);
    assert.equal(rig.states.at(-1), 'done');
  }
});

test('a refusal is told, kept over a reload, and does not hold up the next', async () => {
  const rig = new Rig();
  rig.fates = [refuse(409, { code: 'closed', detail: 'This discussion is closed.' })];
  await rig.queue.add(DRAFT);
  await rig.queue.add({ ...DRAFT, body: 'Second' });
  assert.deepEqual(rig.states, ['sending', 'sending', 'failed', 'sending', 'sending', 'done']);
  rig.states = [];
  const queue = rig.make();
  await queue.start();
  assert.deepEqual(rig.states, ['failed']);
  assert.equal(queue.pending[0].detail, 'This discussion is closed.');
  assert.equal(queue.discard(queue.pending[0].key)?.body, 'Hello');
  assert.equal(rig.backend.getItem('outbox'), null);
});

test('a conflict of keys is a refusal', async () => {
  const rig = new Rig();
  rig.fates = [refuse(409, { code: 'idempotency_conflict' })];
  await rig.queue.add(DRAFT);
  assert.equal(rig.states.at(-1), 'failed');
});

test('what another tab has sent is not sent again', async () => {
  const rig = new Rig();
  rig.fates = [offline];
  await rig.queue.add(DRAFT);
  const second = rig.make();
  await second.start();
  assert.equal(rig.server.size, 1);
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.server.size, rig.tried.length, rig.states.at(-1)], [1, 2, 'gone']);
});

test('a storage that throws keeps nothing and stops nothing', async () => {
  const backend = new FakeStorage();
  backend.isBroken = true;
  const rig = new Rig(backend);
  rig.fates = [offline];
  await rig.queue.add(DRAFT);
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.server.size, rig.states.at(-1)], [1, 'done']);
});

test('a discarded post is not sent, even when its request is under way', async () => {
  const rig = new Rig();
  rig.fates = [() => void rig.queue.discard(rig.tried[0])];
  await rig.queue.add(DRAFT);
  assert.deepEqual(rig.states, ['sending', 'sending', 'gone']);
});

test('closed, it starts no request and leaves no timer', async () => {
  const rig = new Rig();
  rig.fates = [offline];
  await rig.queue.add(DRAFT);
  rig.queue.close();
  await rig.queue.flush();
  await settled();
  assert.deepEqual([rig.tried.length, rig.clock.pending], [1, 0]);
});

test('a key is 16 to 64 visible ASCII characters, also without randomUUID', () => {
  const { randomUUID } = crypto;
  assert.match(newKey(), /^[!-~]{16,64}$/);
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  try {
    assert.match(newKey(), /^[0-9a-f]{32}$/);
    assert.notEqual(newKey(), newKey());
  } finally {
    Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
  }
});

test('what passes and what does not', () => {
  const statuses = [0, 400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 500, 502, 503];
  assert.deepEqual(statuses.filter((status) => isPassing({ status })), [0, 408, 429, 500, 502, 503]);
});

test('two windows of one discussion keep each their own in the storage', async () => {
  const backend = new FakeStorage();
  const [one, other] = [new Rig(backend), new Rig(backend)];
  one.fates = [offline];
  other.fates = [offline];
  await one.queue.add({ ...DRAFT, body: 'From one' });
  await other.queue.add({ ...DRAFT, body: 'From the other' });
  assert.equal(JSON.parse(backend.getItem('outbox') ?? '[]').length, 2);
  await one.queue.flush();
  await other.queue.flush();
  assert.deepEqual([...one.server.values(), ...other.server.values()], ['From one', 'From the other']);
  assert.equal(backend.getItem('outbox'), null);
  assert.deepEqual([one.states.at(-1), other.states.at(-1)], ['done', 'done']);
});

test('where one waits, all that follow t so', async () => {
  const rig = new Rig();
  rig.fates = [offline, offline];
  await rig.queue.add({ ...DRAFT, body: 'First' });
  rig.states.length = 0;
  await rig.queue.add({ ...DRAFT, body: 'Second' });
  assert.deepEqual(rig.states, ['sending', 'sending', 'queued', 'queued']);
});
