import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Thread } from '../src/thread.js';
import { comment, snapshot } from './helpers.js';

/** @typedef {import('../src/wire.js').Event} Event */

const AT = '2026-01-01T01:00:00.000Z';

/** @param {Thread} thread @param {Partial<Event> & {kind: string}} event */
function apply(thread, event) {
  /** @type {import('../src/thread.js').Change[]} */
  const changes = [];
  const verdict = thread.apply({ seq: thread.discussion.seq + 1, at: AT, ...event }, changes);
  return { verdict, changes };
}

test('a created comment is added at its place and counted', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  const { changes } = apply(thread, { kind: 'comment.created', comment: comment(2), comment_count: 2 });
  assert.deepEqual(thread.roots, ['c0001', 'c0002']);
  assert.equal(thread.discussion.comment_count, 2);
  assert.deepEqual(changes, [{ type: 'discussion' }, { type: 'added', id: 'c0002' }]);
});

test('a new comment stands first where the newest come first', () => {
  const thread = new Thread(snapshot([comment(2), comment(1)], { next: 'n' }), 'newest');
  apply(thread, { kind: 'comment.created', comment: comment(3) });
  assert.deepEqual(thread.roots, ['c0003', 'c0002', 'c0001']);
});

test('an approved comment stands where it was written, not at the end', () => {
  const thread = new Thread(snapshot([comment(1), comment(3)], { next: 'n' }), 'oldest');
  apply(thread, { kind: 'comment.created', comment: comment(2) });
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003']);
});

test('replies stand oldest first, and their parent counts them', () => {
  const thread = new Thread(snapshot([comment(1), comment(3, { parent_id: 'c0001' })]), 'newest');
  apply(thread, { kind: 'comment.created', comment: comment(2, { parent_id: 'c0001' }), parent: { id: 'c0001', reply_count: 2 } });
  assert.deepEqual(thread.children.get('c0001'), ['c0002', 'c0003']);
  assert.equal(thread.comments.get('c0001')?.reply_count, 2);
});

test('edited, removed, restored and pinned replace the comment in place', () => {
  const thread = new Thread(snapshot([comment(1), comment(2)]), 'oldest');
  const states = /** @type {const} */ ([
    ['comment.edited', { edited_at: AT }],
    ['comment.removed', { state: 'removed', author: null, body: null }],
    ['comment.restored', {}],
    ['comment.pinned', { pinned: true }],
  ]);
  for (const [kind, values] of states) {
    const changed = comment(1, values);
    assert.deepEqual(apply(thread, { kind, comment: changed }).changes, [{ type: 'changed', id: 'c0001' }]);
    assert.deepEqual(thread.comments.get('c0001'), changed);
  }
  assert.deepEqual(thread.roots, ['c0001', 'c0002']);
});

test('votes and mode change what they name', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  apply(thread, { kind: 'comment.voted', comment_id: 'c0001', votes: { up: 3, down: 1 } });
  assert.deepEqual(thread.comments.get('c0001')?.votes, { up: 3, down: 1 });
  const { changes } = apply(thread, { kind: 'discussion.changed', discussion: { mode: 'closed' } });
  assert.equal(thread.discussion.mode, 'closed');
  assert.deepEqual(changes, [{ type: 'discussion' }]);
});

test('an unknown kind changes nothing but the seq', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  assert.deepEqual(apply(thread, { kind: 'comment.applauded' }), { verdict: 'applied', changes: [] });
  assert.equal(thread.cursor.seq, 11);
});

test('what is known is dropped, a hole is told, and neither changes anything', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  assert.equal(apply(thread, { seq: 10, kind: 'comment.created', comment: comment(2) }).verdict, 'known');
  assert.equal(apply(thread, { seq: 12, kind: 'comment.created', comment: comment(2) }).verdict, 'hole');
  assert.deepEqual(thread.cursor, { epoch: 'e1', seq: 10 });
  assert.deepEqual(thread.roots, ['c0001']);
});

test('a comment beyond the loaded part waits for its page', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n', count: 2 }), 'oldest');
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(3), comment_count: 3 }).changes, [{ type: 'discussion' }]);
  assert.equal(thread.unloaded, 2);
  const added = await thread.load(null, async (cursor) => {
    assert.equal(cursor, 'n');
    return { comments: [comment(2), comment(3)], next: null, replies: {}, votes: {} };
  });
  assert.deepEqual(added, ['c0002', 'c0003']);
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003']);
  assert.equal(thread.unloaded, 0);
});

test('what arrives while the last page loads is not lost', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await thread.load(null, async () => {
    apply(thread, { kind: 'comment.created', comment: comment(3) });
    apply(thread, { kind: 'comment.voted', comment_id: 'c0003', votes: { up: 1, down: 0 } });
    return { comments: [comment(2)], next: null, replies: {}, votes: {} };
  });
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003']);
  assert.equal(thread.comments.get('c0003')?.votes.up, 1);
});

test('a page never overwrites what an event said', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await thread.load(null, async () => {
    apply(thread, { kind: 'comment.removed', comment: comment(2, { state: 'removed', author: null, body: null }) });
    apply(thread, { kind: 'comment.voted', comment_id: 'c0003', votes: { up: 5, down: 0 } });
    apply(thread, { kind: 'comment.edited', comment: comment(1, { edited_at: AT }) });
    return { comments: [comment(1), comment(2), comment(3)], next: null, replies: {}, votes: {} };
  });
  assert.equal(thread.comments.get('c0001')?.edited_at, AT);
  assert.equal(thread.comments.get('c0002')?.state, 'removed');
  assert.equal(thread.comments.get('c0003')?.votes.up, 5);
});

test('a failed page leaves the cursor, so that it can be asked for again', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await assert.rejects(thread.load(null, () => Promise.reject(new Error('down'))));
  assert.equal(thread.rest?.cursor, 'n');
});

test('a thread that did not come whole holds new replies until its page', async () => {
  const first = comment(2, { parent_id: 'c0001' });
  const thread = new Thread(snapshot([comment(1), first], { replies: { c0001: 'r' } }), 'oldest');
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(9, { parent_id: 'c0001' }) }).changes, []);
  const page = { comments: [comment(3, { parent_id: 'c0002' }), comment(9, { parent_id: 'c0001' })], next: null, replies: {}, votes: {} };
  assert.deepEqual(await thread.load('c0001', async () => page), ['c0003', 'c0009']);
  assert.deepEqual(thread.children.get('c0001'), ['c0002', 'c0009']);
  assert.equal(thread.rests.size, 0);
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(10, { parent_id: 'c0003' }) }).changes, [{ type: 'added', id: 'c0010' }]);
});

test("one's own comment is shown beyond the loaded part, and moves into it", async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  assert.equal(thread.adopt(comment(5)), true);
  assert.deepEqual(thread.beyond, ['c0005']);
  const added = await thread.load(null, async () => ({ comments: [comment(2), comment(5)], next: null, replies: {}, votes: {} }));
  assert.deepEqual(added, ['c0002', 'c0005']);
  assert.deepEqual([thread.roots, thread.beyond], [['c0001', 'c0002', 'c0005'], []]);
});

test("the event of one's own comment changes it, and does not add it again", () => {
  const thread = new Thread(snapshot([]), 'oldest');
  thread.adopt(comment(1));
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(1) }).changes, [{ type: 'changed', id: 'c0001' }]);
  assert.equal(thread.adopt(comment(1)), false);
  assert.deepEqual(thread.roots, ['c0001']);
});

test('an answer that an event has overtaken is not applied', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  thread.settle('c0001', { votes: { up: 9, down: 0 } }, 10);
  assert.equal(thread.comments.get('c0001')?.votes.up, 0);
  thread.settle('c0001', { votes: { up: 9, down: 0 } }, 11);
  assert.equal(thread.comments.get('c0001')?.votes.up, 9);
});

test('a linked comment is revealed with its thread', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  const page = { comments: [comment(50), comment(51, { parent_id: 'c0050' })], next: 'x', replies: { c0050: 'r' }, votes: {} };
  assert.deepEqual(await thread.reveal(async () => page), ['c0050', 'c0051']);
  assert.deepEqual(thread.beyond, ['c0050']);
  assert.equal(thread.rests.get('c0050')?.cursor, 'r');
  assert.equal(thread.rest?.cursor, 'n');
  assert.deepEqual(thread.ancestors('c0051'), ['c0050']);
});
