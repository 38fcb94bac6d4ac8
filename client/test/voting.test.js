import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Voting } from '../src/actions/comment/voting.js';
import { ApiError } from '../src/live/api.js';
import { Thread } from '../src/live/thread.js';
import { comment, settled, snapshot } from './helpers.js';

/** Votes whose answers are given by hand. */
class Rig {
  thread = new Thread(snapshot([comment(1, { votes: { up: 4, down: 1 } })]), 'oldest');
  /** @type {{value: number, answer: (given: object) => void, refuse: (status: number) => void}[]} */
  requests = [];
  /** @type {unknown[]} */
  errors = [];

  constructor() {
    const context = {
      api: {
        url: (/** @type {string} */ path) => path,
        ask: (/** @type {string} */ _method, /** @type {string} */ _url, /** @type {{value: number}} */ { value }) =>
          new Promise((answer, reject) => this.requests.push({ value, answer, refuse: (status) => reject(new ApiError(status, {})) })),
      },
      cards: { vote: (/** @type {string} */ id) => this.thread.votes[id] ?? 0 },
      list: { update: () => {} },
      thread: this.thread,
    };
    const announcer = { error: (/** @type {unknown} */ error) => this.errors.push(error) };
    this.voting = new Voting(/** @type {any} */ (context), /** @type {any} */ (announcer));
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
