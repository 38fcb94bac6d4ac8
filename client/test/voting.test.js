import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Voting } from '../src/actions/comment/voting.js';
import { ApiError } from '../src/live/api.js';
import { Thread } from '../src/live/thread.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeStorage, settled, snapshot } from './helpers.js';

const ITEM = 'tertulia:votes:https://talk.example:s:k';

beforeEach(() => {
  globalThis.addEventListener = () => {};
});

/** Votes whose answers are given by hand, on a page whose storage others may share. */
class Rig {
  closing = new AbortController();
  keys = 0;
  thread = new Thread(snapshot([comment(1, { votes: { up: 4, down: 1 } })]), 'oldest');
  /** @type {{value: number, answer: (given: object) => void, refuse: (status: number) => void}[]} */
  requests = [];
  /** @type {unknown[]} */
  errors = [];

  constructor(backend = new FakeStorage()) {
    this.backend = backend;
    const context = {
      api: {
        url: (/** @type {string} */ path) => path,
        ask: (/** @type {string} */ _method, /** @type {string} */ _url, /** @type {{value: number}} */ { value }) =>
          new Promise((answer, reject) => this.requests.push({ value, answer, refuse: (status) => reject(new ApiError(status, {})) })),
      },
      cards: { vote: (/** @type {string} */ id) => this.thread.votes[id] ?? 0 },
      list: { update: () => {} },
      settings: { place: { server: 'https://talk.example', site: 's', key: 'k' } },
      signal: this.closing.signal,
      storage: new SafeStorage(() => this.backend),
      thread: this.thread,
    };
    const announcer = { error: (/** @type {unknown} */ error) => this.errors.push(error) };
    this.voting = new Voting(/** @type {any} */ (context), /** @type {any} */ (announcer), () => `key ${++this.keys}`);
  }

  /** As the discussion does when its element is taken away. */
  async close() {
    this.voting.stop();
    this.closing.abort();
    await settled();
  }

  get kept() {
    return JSON.parse(this.backend.items.get(ITEM) ?? '{}');
  }

  /** The reader's own vote, and the totals. */
  get shown() {
    const { up, down } = this.thread.comments.get('c0001')?.votes ?? {};
    return [this.thread.votes.c0001, up, down];
  }
}

test('a vote is shown before the server has answered', async () => {
  const rig = new Rig();
  rig.voting.vote('c0001', 1);
  assert.deepEqual(rig.shown, [1, 5, 1]);
  rig.requests[0].answer({ votes: { up: 7, down: 1 }, value: 1, seq: 11 });
  await settled();
  assert.deepEqual(rig.shown, [1, 7, 1]);
});

test('a vote that is refused is taken back, and the reader told', async () => {
  const rig = new Rig();
  rig.voting.vote('c0001', -1);
  assert.deepEqual(rig.shown, [-1, 4, 2]);
  rig.requests[0].refuse(429);
  await settled();
  assert.deepEqual(rig.shown, [0, 4, 1]);
  assert.equal(rig.errors.length, 1);
});

test('totals that came meanwhile outlive a refused vote', async () => {
  const rig = new Rig();
  rig.voting.vote('c0001', 1);
  rig.thread.apply({ seq: 11, kind: 'comment.voted', at: '', comment_id: 'c0001', votes: { up: 9, down: 0 } }, []);
  rig.requests[0].refuse(503);
  await settled();
  assert.deepEqual(rig.shown, [0, 9, 0]);
});

test('quick presses go one after another, and the last one counts', async () => {
  const rig = new Rig();
  rig.voting.vote('c0001', 1);
  rig.voting.vote('c0001', 1);
  rig.voting.vote('c0001', -1);
  assert.deepEqual([rig.shown, rig.requests.length], [[-1, 4, 2], 1]);
  for (const at of [0, 1, 2]) {
    rig.requests[at].answer({ votes: { up: 4, down: at === 2 ? 2 : 1 }, value: rig.requests[at].value, seq: 11 + at });
    await settled();
  }
  assert.deepEqual([rig.requests.map(({ value }) => value), rig.shown], [[1, 0, -1], [-1, 4, 2]]);
});

test('where a later one of them is refused, what was answered before stays', async () => {
  const rig = new Rig();
  rig.voting.vote('c0001', 1);
  rig.voting.vote('c0001', -1);
  rig.requests[0].answer({ votes: { up: 5, down: 1 }, value: 1, seq: 11 });
  await settled();
  rig.requests[1].refuse(0);
  await settled();
  assert.deepEqual(rig.shown, [1, 5, 1]);
});

/** An element whose vote +1 is under way when it is taken away. */
async function closedWhileVoting() {
  const rig = new Rig();
  rig.voting.start();
  rig.voting.vote('c0001', 1);
  await rig.close();
  return rig;
}

test('a vote that is under way when the element closes is kept until it is answered', async () => {
  const rig = await closedWhileVoting();
  assert.deepEqual(rig.kept, { c0001: 1 });
  rig.requests[0].answer({ votes: { up: 5, down: 1 }, value: 1, seq: 11 });
  await settled();
  assert.deepEqual([rig.kept, rig.requests.length], [{}, 1]);
});

for (const status of [0, 503]) {
  test(`where its answer is lost (${status}), the next element casts it, and the closed one does no more`, async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const old = await closedWhileVoting();
    const next = new Rig(old.backend);
    next.voting.start();
    assert.equal(next.requests[0].value, 1);
    next.requests[0].answer({ votes: { up: 5, down: 1 }, value: 1, seq: 11 });
    await settled();
    next.voting.vote('c0001', -1);
    old.requests[0].refuse(status);
    mock.timers.tick(3_600_000);
    await settled();
    mock.timers.reset();
    assert.deepEqual([old.requests.length, old.keys, old.errors], [1, 1, []]);
    next.requests[1].answer({ votes: { up: 4, down: 2 }, value: -1, seq: 12 });
    await settled();
    assert.deepEqual([next.kept, next.shown], [{}, [-1, 4, 2]]);
  });
}

test('a vote that waits for a network ends with the element, and a later one stays kept', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const old = new Rig();
  old.voting.start();
  old.voting.vote('c0001', 1);
  old.requests[0].refuse(0);
  await settled();
  await old.close();
  const next = new Rig(old.backend);
  next.voting.start();
  next.voting.vote('c0001', -1);
  next.requests[0].refuse(0);
  await settled();
  mock.timers.tick(19_999);
  await settled();
  assert.deepEqual([old.requests.length, next.kept], [1, { c0001: -1 }]);
  mock.timers.tick(1);
  await settled();
  mock.timers.reset();
  assert.deepEqual([old.requests.length, next.requests.map(({ value }) => value)], [1, [1, 1]]);
});

test('an answer that comes to a closed element takes away no vote that was kept since', async () => {
  const old = await closedWhileVoting();
  const next = new Rig(old.backend);
  next.voting.start();
  next.voting.vote('c0001', -1);
  await next.close();
  old.requests[0].answer({ votes: { up: 5, down: 1 }, value: 1, seq: 11 });
  await settled();
  assert.deepEqual(next.kept, { c0001: -1 });
});
