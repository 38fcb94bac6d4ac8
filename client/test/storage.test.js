/** Storage in every form that it comes in: what is sent goes out, and "kept" is said only of what is read again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PostQueue } from '../src/actions/posting/postQueue.js';
import { Api, ApiError } from '../src/live/api.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeClock, FakeStorage, platform } from './helpers.js';

/** @typedef {() => any} Backend What stands in `localStorage`; touching it may throw. */

const no = () => {
  throw new DOMException('no', 'SecurityError');
};
/** @param {object} others @returns {Backend} */
const like = (others) => () => ({ getItem: () => null, setItem: () => {}, removeItem: () => {}, ...others });

/** Those that keep nothing. @type {Record<string, Backend>} */
const KEEPING_NOTHING = {
  'is undefined': () => undefined,
  'is null': () => null,
  'throws when it is touched': no,
  'throws on reading': like({ getItem: no }),
  'throws on writing': like({ setItem: no }),
  'throws on everything': like({ getItem: no, setItem: no, removeItem: no }),
  'is full': like({
    setItem() {
      throw new DOMException('full', 'QuotaExceededError');
    },
  }),
  'takes everything and keeps nothing': like({}),
  'reads as undefined': like({ getItem: () => undefined }),
  'has no methods': () => ({}),
  'answers everything with a text': like({ getItem: () => 'yes' }),
  'answers everything with the empty list of another': like({ getItem: () => '[]' }),
  'answers with something that is no text': like({ getItem: () => ({ then() {} }) }),
};

for (const [name, backend] of Object.entries(KEEPING_NOTHING)) {
  test(`a storage that ${name} keeps nothing, says so, and the page remembers`, () => {
    const storage = new SafeStorage(backend);
    assert.equal(storage.set('draft', 'Half a thought'), false);
    assert.equal(storage.get('draft'), 'Half a thought');
    storage.set('draft', null);
    assert.equal(storage.get('draft'), null);
    assert.equal(storage.json('draft'), null);
  });

  test(`a comment goes out where the storage ${name}, at once and after a failure`, async () => {
    for (const failures of [0, 2]) {
      const rig = queueOn(new SafeStorage(backend), failures);
      await rig.queue.add({ body: 'Hello', name: 'Mai', parent_id: null });
      await rig.clock.pass(120_000);
      assert.deepEqual([rig.sent, rig.states.at(-1), rig.queue.pending.length], [['Hello'], 'done', 0]);
    }
  });

  test(`the next element of the page goes on sending where the storage ${name}`, async () => {
    const storage = new SafeStorage(backend);
    const first = queueOn(storage, 1);
    await first.queue.add({ body: 'Hello', name: 'Mai', parent_id: null });
    first.queue.close();
    const next = queueOn(storage);
    await next.queue.start();
    assert.deepEqual([next.sent, next.states.at(-1)], [['Hello'], 'done']);
  });

  test(`a guest stays the same, and signs out, where the storage ${name}`, () => {
    const storage = new SafeStorage(backend);
    const place = { server: 'https://talk.example', site: 's', key: 'k' };
    new Api(place, storage).keep('a token');
    assert.equal(new Api(place, storage).token, 'a token');
    new Api(place, storage).keep(null);
    assert.equal(new Api(place, storage).token, null);
  });
}

test('a storage that keeps says so, and other pages read it', () => {
  const backend = new FakeStorage();
  const [one, other] = [new SafeStorage(() => backend), new SafeStorage(() => backend)];
  assert.equal(one.set('draft', 'Half a thought'), true);
  assert.equal(other.get('draft'), 'Half a thought');
  assert.equal(other.set('draft', ''), true);
  assert.deepEqual([one.get('draft'), backend.items.size], [null, 0]);
  assert.equal(other.set('list', '{"a":1}'), true);
  assert.deepEqual(one.json('list'), { a: 1 });
});

test('what the storage would not give up is gone all the same, and what it keeps again is no longer only remembered', () => {
  const backend = new FakeStorage();
  const storage = new SafeStorage(() => backend);
  storage.set('token', 'old');
  backend.isBroken = true;
  assert.equal(storage.set('token', null), false);
  backend.isBroken = false;
  assert.equal(storage.get('token'), null);
  assert.equal(storage.set('token', 'new'), true);
  backend.items.set('token', 'of another window');
  assert.equal(storage.get('token'), 'of another window');
});

const LOSSES = {
  'was emptied': (/** @type {FakeStorage} */ backend) => backend.items.clear(),
  'was emptied, and another window wrote': (/** @type {FakeStorage} */ backend) => {
    backend.items.clear();
    const other = queueOn(new SafeStorage(() => backend), 9);
    other.queue.add({ body: 'From the other', name: 'Lan', parent_id: null });
    other.queue.close();
  },
  'began to throw': (/** @type {FakeStorage} */ backend) => void (backend.isBroken = true),
  'has something else in its place': (/** @type {FakeStorage} */ backend) => {
    for (const name of backend.items.keys()) backend.items.set(name, name === 'outbox' ? '{"not": "ours"}' : 'nor this');
  },
};

for (const [name, lose] of Object.entries(LOSSES)) {
  test(`a comment that waits goes out although the storage ${name} meanwhile`, async () => {
    const backend = new FakeStorage();
    const rig = queueOn(new SafeStorage(() => backend), 1);
    await rig.queue.add({ body: 'Hello', name: 'Mai', parent_id: null });
    lose(backend);
    await rig.clock.pass(60_000);
    assert.deepEqual([rig.sent, rig.states.at(-1)], [['Hello'], 'done']);
  });
}

test('what another window has sent or discarded is not sent, as long as the storage tells', async () => {
  for (const isSent of [true, false]) {
    const backend = new FakeStorage();
    const [one, other] = [queueOn(new SafeStorage(() => backend), 1), () => queueOn(new SafeStorage(() => backend))];
    await one.queue.add({ body: 'Hello', name: 'Mai', parent_id: null });
    const second = other();
    if (isSent) await second.queue.start();
    else second.queue.discard(second.queue.pending[0].key);
    await one.clock.pass(60_000);
    assert.deepEqual([one.sent.length, second.sent.length, one.states.at(-1)], [0, isSent ? 1 : 0, 'gone']);
  }
});

for (const text of ['null', '{}', '7', '"text"', '[null, 1, {"key": 5}, {"key": "k"}]', '[[]]', '{', '']) {
  test(`what is no queue is none: ${text}`, async () => {
    const backend = new FakeStorage();
    backend.items.set('outbox', text);
    const rig = queueOn(new SafeStorage(() => backend));
    await rig.queue.start();
    await rig.queue.add({ body: 'Hello', name: 'Mai', parent_id: null });
    assert.deepEqual([rig.sent, rig.states], [['Hello'], ['sending', 'sending', 'done']]);
  });
}

/** @param {SafeStorage} storage @param {number} [failures] How many requests fail at first. */
function queueOn(storage, failures = 0) {
  const clock = new FakeClock();
  /** @type {string[]} */
  const sent = [];
  /** @type {string[]} */
  const states = [];
  const queue = new PostQueue({
    storage,
    name: 'outbox',
    send: async ({ body }) => {
      if (failures-- > 0) throw new ApiError(0);
      sent.push(body);
      return { comment: comment(1), seq: 1 };
    },
    changed: (_, state) => void states.push(state),
    platform: platform(clock),
  });
  return { queue, clock, sent, states };
}
