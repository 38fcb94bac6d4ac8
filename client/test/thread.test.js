import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOut, load, loadSkipped, reveal } from '../src/actions/browse/threadPages.js';
import { addOwn, applyAnswer, Thread } from '../src/live/thread.js';
import { comment, snapshot } from './helpers.js';

/** @typedef {import('../src/live/wire.js').Event} Event */

const AT = '2026-01-01T01:00:00.000Z';

/** @param {Thread} thread @param {Partial<Event> & {kind: string}} event */
function apply(thread, event) {
  /** @type {import('../src/live/thread.js').Change[]} */
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

test('a superseded event is counted and changes nothing', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  const before = thread.comments.get('c0001');
  assert.deepEqual(apply(thread, { kind: 'comment.superseded' }).changes, []);
  assert.equal(thread.comments.get('c0001'), before);
  const { changes } = apply(thread, { kind: 'comment.edited', comment: comment(1, { edited_at: AT }) });
  assert.deepEqual(changes, [{ type: 'changed', id: 'c0001' }]);
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

test('what is known is dropped, a gap is refused, and neither changes anything', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  assert.equal(apply(thread, { seq: 10, kind: 'comment.created', comment: comment(2) }).verdict, 'known');
  assert.equal(apply(thread, { seq: 12, kind: 'comment.created', comment: comment(2) }).verdict, 'gap');
  assert.deepEqual(thread.cursor, { epoch: 'e1', seq: 10 });
  assert.deepEqual(thread.roots, ['c0001']);
});

test('a comment beyond the loaded part waits for its page', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n', count: 2 }), 'oldest');
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(3), comment_count: 3 }).changes, [{ type: 'discussion' }]);
  assert.equal(thread.unloaded, 2);
  const added = await load(thread, null, async (cursor) => {
    assert.equal(cursor, 'n');
    return { comments: [comment(2), comment(3)], next: null, replies: {}, votes: {} };
  });
  assert.deepEqual(added, ['c0002', 'c0003']);
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003']);
  assert.equal(thread.unloaded, 0);
});

test('what arrives while the last page loads is not lost', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await load(thread, null, async () => {
    apply(thread, { kind: 'comment.created', comment: comment(3) });
    apply(thread, { kind: 'comment.voted', comment_id: 'c0003', votes: { up: 1, down: 0 } });
    return { comments: [comment(2)], next: null, replies: {}, votes: {} };
  });
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003']);
  assert.equal(thread.comments.get('c0003')?.votes.up, 1);
});

test('a page never overwrites what an event said', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await load(thread, null, async () => {
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
  await assert.rejects(load(thread, null, () => Promise.reject(new Error('down'))));
  assert.equal(thread.nextPage?.cursor, 'n');
});

test('a thread that did not come whole holds new replies until its page', async () => {
  const first = comment(2, { parent_id: 'c0001' });
  const thread = new Thread(snapshot([comment(1), first], { replies: { c0001: 'r' } }), 'oldest');
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(9, { parent_id: 'c0001' }) }).changes, []);
  const page = { comments: [comment(3, { parent_id: 'c0002' }), comment(9, { parent_id: 'c0001' })], next: null, replies: {}, votes: {} };
  assert.deepEqual(await load(thread, 'c0001', async () => page), ['c0003', 'c0009']);
  assert.deepEqual(thread.children.get('c0001'), ['c0002', 'c0009']);
  assert.equal(thread.nextPages.size, 0);
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(10, { parent_id: 'c0003' }) }).changes, [{ type: 'added', id: 'c0010' }]);
});

test("one's own comment is shown beyond the loaded part, and moves into it", async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  assert.equal(addOwn(thread, comment(5)), true);
  assert.deepEqual(thread.detached, ['c0005']);
  const added = await load(thread, null, async () => ({ comments: [comment(2), comment(5)], next: null, replies: {}, votes: {} }));
  assert.deepEqual(added, ['c0002', 'c0005']);
  assert.deepEqual([thread.roots, thread.detached], [['c0001', 'c0002', 'c0005'], []]);
});

test("the event of one's own comment changes it, and does not add it again", () => {
  const thread = new Thread(snapshot([]), 'oldest');
  addOwn(thread, comment(1));
  assert.deepEqual(apply(thread, { kind: 'comment.created', comment: comment(1) }).changes, [{ type: 'changed', id: 'c0001' }]);
  assert.equal(addOwn(thread, comment(1)), false);
  assert.deepEqual(thread.roots, ['c0001']);
});

test('an answer that an event has overtaken is not applied', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  applyAnswer(thread, 'c0001', { votes: { up: 9, down: 0 } }, 10);
  assert.equal(thread.comments.get('c0001')?.votes.up, 0);
  applyAnswer(thread, 'c0001', { votes: { up: 9, down: 0 } }, 11);
  assert.equal(thread.comments.get('c0001')?.votes.up, 9);
});

test('a linked comment is revealed with its thread', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  const page = { comments: [comment(50), comment(51, { parent_id: 'c0050' })], next: 'x', replies: { c0050: 'r' }, votes: {} };
  assert.deepEqual(await reveal(thread, async () => page), ['c0050', 'c0051']);
  assert.deepEqual(thread.detached, ['c0050']);
  assert.equal(thread.nextPages.get('c0050')?.cursor, 'r');
  assert.equal(thread.nextPage?.cursor, 'n');
  assert.deepEqual(thread.ancestors('c0051'), ['c0050']);
});

// ---- messages -------------------------------------------------------------------------------------------

test('a message is applied, or says why the stream cannot go on', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  /** @type {(message: import('../src/live/wire.js').Message) => string} */
  const receive = (message) => thread.receive(message, []);
  assert.equal(receive({ type: 'hello', epoch: 'e1', seq: 12 }), 'ok');
  assert.equal(receive({ type: 'hello', epoch: 'e2', seq: 12 }), 'reset');
  assert.equal(receive({ type: 'reset', epoch: 'e2', seq: 12 }), 'reset');
  assert.equal(receive({ type: 'heartbeat', seq: 10 }), 'ok');
  assert.equal(receive({ type: 'heartbeat', seq: 11 }), 'gap');
  assert.equal(receive({ type: 'presence', readers: 3 }), 'ok');
  assert.equal(receive({ type: 'events', events: [created(12, 3)] }), 'gap');
  assert.equal(receive({ type: 'events', events: [created(10, 1), created(11, 2)] }), 'ok');
  assert.equal(receive({ type: 'summary', ...SUMMARY, from: 13 }), 'gap');
  assert.equal(receive({ type: 'summary', ...SUMMARY }), 'ok');
  assert.deepEqual([thread.cursor.seq, thread.roots], [17, ['c0001', 'c0002', 'c0005', 'c0006']]);
});

// ---- summaries ------------------------------------------------------------------------------------------

/** @param {number} seq @param {number} n @param {number} [total] @returns {Event} */
function created(seq, n, total = n) {
  return { seq, kind: 'comment.created', at: AT, comment: comment(n), comment_count: total };
}

/** The log of five comments after the snapshot's one, of which the first is edited. @returns {Event[]} */
function log() {
  const edited = comment(2, { edited_at: AT });
  const removed = comment(3, { state: 'removed', author: null, body: null });
  return [
    ...[2, 3, 4, 5, 6].map((n) => created(9 + n, n)),
    { seq: 16, kind: 'comment.edited', at: AT, comment: edited },
    { seq: 17, kind: 'comment.removed', at: AT, comment: removed, comment_count: 5 },
  ];
}

/** What a summary of `log()` shows: not 2, 3 and 4. */
const SUMMARY = { from: 11, to: 17, count: 5, events: log().slice(3) };

/** @param {Event[]} events @param {number} size */
function pager(events, size) {
  /** @type {number[]} */
  const asked = [];
  const ask = async (/** @type {{seq: number}} */ { seq }) => {
    asked.push(seq);
    const rest = events.filter((event) => event.seq > seq);
    return { epoch: 'e1', events: rest.slice(0, size), more: rest.length > size };
  };
  return { asked, ask };
}

test('a summary moves the cursor to its end, and counts what it does not show', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  /** @type {import('../src/live/thread.js').Change[]} */
  const changes = [];
  assert.equal(thread.summarise(SUMMARY, changes), 'applied');
  assert.deepEqual([thread.cursor.seq, thread.roots, thread.discussion.comment_count], [17, ['c0001', 'c0005', 'c0006'], 5]);
  // the removed one is no longer there to be shown
  assert.equal(leftOut(thread), 2);
  assert.deepEqual(changes.filter(({ type }) => type === 'added'), [{ type: 'added', id: 'c0005' }, { type: 'added', id: 'c0006' }]);
  assert.equal(apply(thread, created(18, 7, 6)).verdict, 'applied');
});

test('a summary that is known is dropped, one after a gap is not applied, one that begins earlier is applied', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  assert.equal(thread.summarise({ ...SUMMARY, from: 12 }, []), 'gap');
  assert.equal(thread.cursor.seq, 10);
  for (const event of log().slice(0, 4)) thread.apply(event, []);
  assert.equal(thread.summarise(SUMMARY, []), 'applied');
  assert.deepEqual([thread.roots.length, thread.cursor.seq], [6, 17]);
  assert.equal(thread.summarise(SUMMARY, []), 'known');
  assert.equal(thread.summarise({ ...SUMMARY, to: 16 }, []), 'known');
  assert.equal(leftOut(thread), 0);
});

test('an event of a summary that was applied before is not applied again', () => {
  const vote = (/** @type {number} */ seq) => ({ seq, kind: 'comment.voted', at: AT, comment_id: 'c0001', votes: { up: seq, down: 0 } });
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  for (const seq of [11, 12]) thread.apply(vote(seq), []);
  thread.summarise({ from: 11, to: 13, count: 0, events: [vote(11)] }, []);
  assert.equal(thread.comments.get('c0001')?.votes.up, 12);
});

test('a summary that leaves out no comment offers none', () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  const votes = { seq: 13, kind: 'comment.voted', at: AT, comment_id: 'c0001', votes: { up: 3, down: 0 } };
  thread.summarise({ from: 11, to: 13, count: 0, events: [votes] }, []);
  assert.deepEqual([leftOut(thread), thread.cursor.seq, thread.comments.get('c0001')?.votes.up], [0, 13, 3]);
});

test('what was left out is read from where it begins, page after page, and nothing is doubled', async () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  thread.summarise(SUMMARY, []);
  const { asked, ask } = pager(log(), 3);
  const changes = await loadSkipped(thread, ask);
  assert.deepEqual(asked, [10, 13, 16]);
  assert.deepEqual(changes.filter(({ type }) => type === 'added').map((change) => 'id' in change && change.id), ['c0002', 'c0003', 'c0004']);
  assert.deepEqual(thread.roots, ['c0001', 'c0002', 'c0003', 'c0004', 'c0005', 'c0006']);
  assert.deepEqual([thread.comments.get('c0002')?.edited_at, thread.comments.get('c0003')?.state], [AT, 'removed']);
  assert.deepEqual([leftOut(thread), thread.cursor.seq, thread.discussion.comment_count], [0, 17, 5]);
});

test('stretches are one: the second begins where the first did, and events between are read again', async () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  const more = [created(18, 7, 6), created(19, 8, 7), created(20, 9, 8)];
  thread.summarise(SUMMARY, []);
  thread.apply(more[0], []);
  thread.summarise({ from: 19, to: 20, count: 2, events: more.slice(2) }, []);
  assert.equal(leftOut(thread), 3);
  const { asked, ask } = pager([...log(), ...more], 500);
  await loadSkipped(thread, ask);
  assert.deepEqual(asked, [10]);
  assert.deepEqual(thread.roots, [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `c000${n}`));
});

test('a failed read, or one of another epoch, keeps the offer', async () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  thread.summarise(SUMMARY, []);
  await assert.rejects(loadSkipped(thread, () => Promise.reject(new Error('down'))));
  await assert.rejects(loadSkipped(thread, async () => ({ epoch: 'e2', events: [], more: false })));
  assert.deepEqual([leftOut(thread), thread.roots], [2, ['c0001', 'c0005', 'c0006']]);
  const { asked, ask } = pager(log(), 500);
  await loadSkipped(thread, ask);
  assert.deepEqual([asked, leftOut(thread)], [[10], 0]);
});

test('what happens while it is read stays the newest, and a further summary is a further stretch', async () => {
  const thread = new Thread(snapshot([comment(1)]), 'oldest');
  thread.summarise(SUMMARY, []);
  const later = [
    { seq: 18, kind: 'comment.edited', at: AT, comment: comment(2, { edited_at: 'later' }) },
    created(19, 7, 6),
    created(20, 8, 7),
  ];
  await loadSkipped(thread, async () => {
    thread.apply(later[0], []);
    thread.summarise({ from: 19, to: 20, count: 2, events: later.slice(2) }, []);
    // the server may tell more than was asked for
    return { epoch: 'e1', events: [...log(), ...later], more: false };
  });
  assert.equal(thread.comments.get('c0002')?.edited_at, 'later');
  assert.deepEqual([leftOut(thread), thread.comments.has('c0007')], [1, false]);
  const { asked, ask } = pager([...log(), ...later], 500);
  await loadSkipped(thread, ask);
  assert.deepEqual([asked, leftOut(thread), thread.roots.at(-2)], [[17], 0, 'c0007']);
});

test('an old reply count that is told once more does not outlive what was read', async () => {
  const reply = (/** @type {number} */ seq) =>
    ({ seq, kind: 'comment.created', at: AT, comment: comment(seq, { parent_id: 'c0001' }), parent: { id: 'c0001', reply_count: seq - 10 } });
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  await load(thread, null, async () => {
    thread.apply(reply(11), []);
    thread.summarise({ from: 12, to: 13, count: 2, events: [] }, []);
    await loadSkipped(thread, pager([11, 12, 13].map(reply), 500).ask);
    return { comments: [comment(2)], next: null, replies: {}, votes: {} };
  });
  assert.equal(thread.comments.get('c0001')?.reply_count, 3);
  assert.equal(thread.children.get('c0001')?.length, 3);
});

test('comments that came with a page are no longer offered', async () => {
  const thread = new Thread(snapshot([comment(1)], { next: 'n' }), 'oldest');
  thread.summarise(SUMMARY, []);
  await load(thread, null, async () => ({ comments: [2, 4, 5, 6].map((n) => comment(n)), next: null, replies: {}, votes: {} }));
  assert.equal(leftOut(thread), 0);
});

test('what moves while its pages are read comes again and keeps what is known of it', async () => {
  const votes = (/** @type {number} */ up) => ({ votes: { up, down: 0 } });
  const start = snapshot([comment(1, votes(3)), comment(2, votes(2))], { next: 'n' });
  const thread = new Thread(start, 'top');
  const page = { comments: [comment(5, votes(9)), comment(1, votes(3)), comment(6, votes(1))], next: 'm', replies: { c0001: 'r' }, votes: {}, changed: true };
  assert.deepEqual(await load(thread, null, async () => page), ['c0005', 'c0006']);
  assert.deepEqual(thread.roots, ['c0005', 'c0001', 'c0002', 'c0006']);
  assert.equal(thread.nextPages.size, 0);
  assert.equal(thread.nextPage?.last?.id, 'c0006');
  await load(thread, null, async () => ({ comments: [comment(3), comment(4)], next: null, replies: { c0004: 'r' }, votes: {} }));
  assert.deepEqual(thread.roots, ['c0005', 'c0001', 'c0002', 'c0006', 'c0003', 'c0004']);
  assert.deepEqual([...thread.nextPages.keys()], ['c0004']);
});

test('a thread of ten thousand replies, each to the one before, is walked without recursion', () => {
  const chain = Array.from({ length: 10_000 }, (_, n) => comment(n + 1, { parent_id: n ? comment(n).id : null }));
  const thread = new Thread(snapshot([]), 'oldest');
  for (const one of chain) thread.comments.set(one.id, one);
  const above = thread.ancestors(chain[9999].id);
  assert.deepEqual([above.length, above[0], above[9998]], [9999, chain[9998].id, chain[0].id]);
  assert.deepEqual(thread.ancestors(chain[0].id), []);
});
