import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trouble } from '../src/live/api.js';
import { isPassing, newKey, Outbox } from '../src/actions/outbox.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeClock, FakeShelf, settled, world } from './helpers.js';

const SAID = { body: 'Hello', name: 'Mai', parent_id: null };

class Rig {
  clock = new FakeClock();
  /** What the server got, by key. @type {Map<string, string>} */
  server = new Map();
  /** @type {string[]} */
  tried = [];
  /** @type {string[]} */
  stages = [];
  /** What happens to the next requests. @type {(() => void)[]} */
  fates = [];

  constructor(shelf = new FakeShelf()) {
    this.shelf = shelf;
    this.box = this.make();
  }

  make() {
    return new Outbox({
      storage: new SafeStorage(() => this.shelf),
      name: 'outbox',
      send: async (entry) => {
        this.tried.push(entry.key);
        const fate = this.fates.shift();
        if (fate !== lostAnswer) fate?.();
        this.server.set(entry.key, entry.body);
        if (fate === lostAnswer) fate();
        return { comment: comment(1), seq: 1 };
      },
      changed: (_, stage) => void this.stages.push(stage),
      world: world(this.clock),
    });
  }
}

const lostAnswer = () => {
  throw new Trouble(0);
};
const offline = () => {
  throw new Trouble(0);
};
/** @param {number} status @param {object} [problem] */
const refuse = (status, problem = {}) => () => {
  throw new Trouble(status, problem);
};

test('an entry is in the storage before its request, and gone after the answer', async () => {
  const rig = new Rig();
  /** @type {string | null} */
  let stored = null;
  rig.fates = [() => (stored = rig.shelf.getItem('outbox'))];
  await rig.box.add(SAID);
  assert.match(stored ?? '', /Hello/);
  assert.equal(rig.shelf.getItem('outbox'), null);
  assert.deepEqual(rig.stages, ['sending', 'sending', 'done']);
});

test('a lost answer is retried with the same key: said once', async () => {
  const rig = new Rig();
  rig.fates = [lostAnswer];
  await rig.box.add(SAID);
  assert.equal(rig.stages.at(-1), 'queued');
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.tried.length, new Set(rig.tried).size, rig.server.size], [2, 1, 1]);
  assert.equal(rig.stages.at(-1), 'done');
});

test('offline, reloaded, online: sent once, in order, and the outbox is empty', async () => {
  const rig = new Rig();
  rig.fates = [offline, offline];
  await rig.box.add(SAID);
  await rig.box.add({ ...SAID, body: 'Second' });
  rig.box.close();
  rig.fates = [];
  const box = rig.make();
  await box.start();
  assert.deepEqual([...rig.server.values()], ['Hello', 'Second']);
  assert.deepEqual([box.entries, rig.shelf.getItem('outbox')], [[], null]);
  await rig.clock.pass(600_000);
  assert.equal(rig.server.size, 2);
});

test('too much or a broken server is retried after what Retry-After says', async () => {
  for (const status of [429, 500, 503]) {
    const rig = new Rig();
    rig.fates = [refuse(status, { retry_after: 30 })];
    await rig.box.add(SAID);
    await rig.clock.pass(29_999);
    assert.equal(rig.tried.length, 1);
    await rig.clock.pass(1);
    assert.equal(rig.stages.at(-1), 'done');
  }
});

test('a refusal is told, kept over a reload, and does not hold up the next', async () => {
  const rig = new Rig();
  rig.fates = [refuse(409, { code: 'closed', detail: 'This discussion is closed.' })];
  await rig.box.add(SAID);
  await rig.box.add({ ...SAID, body: 'Second' });
  assert.deepEqual(rig.stages, ['sending', 'sending', 'failed', 'sending', 'sending', 'done']);
  rig.stages = [];
  const box = rig.make();
  await box.start();
  assert.deepEqual(rig.stages, ['failed']);
  assert.equal(box.entries[0].detail, 'This discussion is closed.');
  assert.equal(box.discard(box.entries[0].key)?.body, 'Hello');
  assert.equal(rig.shelf.getItem('outbox'), null);
});

test('a conflict of keys is a refusal', async () => {
  const rig = new Rig();
  rig.fates = [refuse(409, { code: 'idempotency_conflict' })];
  await rig.box.add(SAID);
  assert.equal(rig.stages.at(-1), 'failed');
});

test('what another tab has sent is not sent again', async () => {
  const rig = new Rig();
  rig.fates = [offline];
  await rig.box.add(SAID);
  const second = rig.make();
  await second.start();
  assert.equal(rig.server.size, 1);
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.server.size, rig.tried.length, rig.stages.at(-1)], [1, 2, 'gone']);
});

test('a storage that throws keeps nothing and stops nothing', async () => {
  const shelf = new FakeShelf();
  shelf.isBroken = true;
  const rig = new Rig(shelf);
  rig.fates = [offline];
  await rig.box.add(SAID);
  await rig.clock.pass(60_000);
  assert.deepEqual([rig.server.size, rig.stages.at(-1)], [1, 'done']);
});

test('a discarded entry is not sent, even when its request is under way', async () => {
  const rig = new Rig();
  rig.fates = [() => void rig.box.discard(rig.tried[0])];
  await rig.box.add(SAID);
  assert.deepEqual(rig.stages, ['sending', 'sending', 'gone']);
});

test('closed, it starts no request and leaves no timer', async () => {
  const rig = new Rig();
  rig.fates = [offline];
  await rig.box.add(SAID);
  rig.box.close();
  await rig.box.flush();
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
  const shelf = new FakeShelf();
  const [one, other] = [new Rig(shelf), new Rig(shelf)];
  one.fates = [offline];
  other.fates = [offline];
  await one.box.add({ ...SAID, body: 'From one' });
  await other.box.add({ ...SAID, body: 'From the other' });
  assert.equal(JSON.parse(shelf.getItem('outbox') ?? '[]').length, 2);
  await one.box.flush();
  await other.box.flush();
  assert.deepEqual([...one.server.values(), ...other.server.values()], ['From one', 'From the other']);
  assert.equal(shelf.getItem('outbox'), null);
  assert.deepEqual([one.stages.at(-1), other.stages.at(-1)], ['done', 'done']);
});

test('where one waits, all that follow say so', async () => {
  const rig = new Rig();
  rig.fates = [offline, offline];
  await rig.box.add({ ...SAID, body: 'First' });
  rig.stages.length = 0;
  await rig.box.add({ ...SAID, body: 'Second' });
  assert.deepEqual(rig.stages, ['sending', 'sending', 'queued', 'queued']);
});
