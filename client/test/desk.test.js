/** What a console of the moderators' desk decides without a page: where it stands, what is new, what keys mean, what is sent. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OWN } from '../members.js';
import { iconOf, titleWith } from '../src/desk/alerts.js';
import { Coalesced } from '../src/desk/coalesced.js';
import { connection } from '../src/desk/connection.js';
import { COMMANDS, Keys } from '../src/desk/keyboard.js';
import { byComment, Looking } from '../src/desk/looking.js';
import { DeskLog } from '../src/desk/log.js';
import { Queue } from '../src/desk/queue.js';
import { chunks, Requests } from '../src/desk/requests.js';
import { Selection } from '../src/desk/selection.js';
import { MOST, UndoStack } from '../src/desk/undo.js';
import { SafeStorage } from '../src/page/storage.js';
import { FakeClock, FakeStorage, platform, settled } from './helpers.js';

/** @param {string} id @param {object} [values] */
const item = (id, values = {}) => ({ comment_id: id, version: 1, queue: 'waiting', state: 'held', by: null, decision: null, ...values });
/** @param {...number} seqs */
const events = (...seqs) => ({ type: 'events', events: seqs.map((seq) => ({ seq, item: item(`c${seq}`) })) });

// ---- the log ----------------------------------------------------------------------------------------------

test('each event is taken once, and none after a gap', () => {
  /** @type {string[]} */
  const took = [];
  const log = new DeskLog({ epoch: 'e', seq: 3 }, ({ comment_id }) => took.push(comment_id));
  assert.equal(log.receive({ type: 'hello', epoch: 'e', seq: 5 }), 'ok');
  assert.equal(log.receive(events(3, 4, 5)), 'ok');
  assert.equal(log.receive(events(5, 6)), 'ok');
  assert.equal(log.receive(events(8)), 'gap');
  assert.deepEqual(took, ['c4', 'c5', 'c6']);
  assert.deepEqual(log.cursor, { epoch: 'e', seq: 6 });
  assert.equal(log.receive({ type: 'heartbeat', seq: 7 }), 'gap');
  assert.equal(log.receive({ type: 'heartbeat', seq: 6 }), 'ok');
});

test('another epoch means that all is asked for anew', () => {
  const log = new DeskLog({ epoch: 'e', seq: 3 }, () => {});
  assert.equal(log.receive({ type: 'hello', epoch: 'f', seq: 1 }), 'reset');
  assert.equal(log.receive({ type: 'reset', epoch: 'e', seq: 9 }), 'reset');
});

// ---- the connection ---------------------------------------------------------------------------------------

/** @returns {any} */
function consoleOf() {
  const clock = new FakeClock();
  /** @type {any} */
  const seen = { clock, ended: 0, opened: [], states: [] };
  const socket = (/** @type {any} */ cursor, /** @type {any} */ handlers) => {
    seen.opened.push(cursor.seq);
    seen.handlers = handlers;
    return { close() {} };
  };
  seen.log = new DeskLog({ epoch: 'e', seq: 0 }, () => {});
  seen.stream = connection({
    socket,
    log: () => seen.log,
    received() {},
    reset() {},
    changed: (state) => seen.states.push(state),
    ended: () => seen.ended++,
    platform: platform(clock),
  });
  seen.stream.start();
  return seen;
}

test('a session that is over ends the stream for good, and says so once', async () => {
  const seen = consoleOf();
  seen.handlers.message({ type: 'hello', epoch: 'e', seq: 0 });
  seen.handlers.closed(4401, 'sign_in_again');
  await seen.clock.pass(10 * 60_000);
  assert.deepEqual([seen.ended, seen.opened.length, seen.stream.state], [1, 1, 'stopped']);
});

test('a lost connection goes on after the last event', async () => {
  const seen = consoleOf();
  seen.handlers.message({ type: 'hello', epoch: 'e', seq: 0 });
  seen.handlers.message(events(1, 2));
  seen.handlers.closed(1006, '');
  assert.equal(seen.states.at(-1), 'waiting');
  await seen.clock.pass(60_000);
  assert.deepEqual(seen.opened.slice(0, 2), [0, 2]);
});

test('a server that cannot be reached is tried again and again, over the one way there is', async () => {
  const seen = consoleOf();
  for (let attempt = 1; attempt <= 5; attempt++) {
    assert.equal(seen.opened.length, attempt);
    seen.handlers.closed(1006, '');
    await settled();
    await seen.clock.pass(9_000);
  }
  assert.equal(seen.stream.mode, 'socket');
});

// ---- the queue --------------------------------------------------------------------------------------------

test('what comes waits behind the button until it is shown', () => {
  const queue = new Queue('waiting', false);
  assert.equal(queue.note(item('a')), 'fresh');
  assert.equal(queue.note(item('a', { version: 2 })), 'known');
  assert.equal(queue.note(item('b', { queue: 'reported' })), 'known');
  assert.deepEqual([...queue.fresh], ['a']);
  queue.show('a', 2);
  assert.deepEqual([[...queue.fresh], queue.listed.get('a')], [[], 2]);
});

test('what is decided before it was shown waits no more', () => {
  const queue = new Queue('waiting', false);
  queue.note(item('a'));
  assert.equal(queue.note(item('a', { version: 2, queue: null })), 'gone');
  assert.equal(queue.fresh.size, 0);
});

test('a card that is shown is changed, or left, and never by something older', () => {
  const queue = new Queue('reported', false);
  queue.show('a', 4);
  assert.equal(queue.note(item('a', { version: 3, queue: null })), 'known');
  assert.equal(queue.note(item('a', { version: 4, queue: 'reported' })), 'changed');
  assert.equal(queue.note(item('a', { version: 5, queue: null, by: 'Mai', decision: 'removed' })), 'left');
});

test('the event of one’s own decision is no news, but that of somebody else after it is', () => {
  const queue = new Queue('waiting', false);
  queue.show('a', 1);
  queue.decide('a', 1);
  assert.equal(queue.note(item('a', { version: 2, queue: null, by: 'I', decision: 'approved' })), 'known');
  queue.leave('a');
  assert.ok(queue.knows('a', 1), 'a list that was read before the decision does not bring it back');
  assert.equal(queue.note(item('a', { version: 2, queue: null })), 'own');
  assert.equal(queue.note(item('a', { version: 3 })), 'fresh');
});

test('a decision that was refused makes nothing its own', () => {
  const queue = new Queue('waiting', false);
  queue.show('a', 1);
  queue.decide('a', 1);
  queue.refused('a');
  assert.equal(queue.note(item('a', { version: 2, queue: null })), 'left');
});

test('where one discussion is shown, the comment has to be asked for first', () => {
  const queue = new Queue('waiting', true);
  assert.equal(queue.note(item('a')), 'unsure');
  assert.equal(queue.fresh.size, 0);
});

test('of all comments none leaves', () => {
  const queue = new Queue('all', false);
  queue.show('a', 1);
  assert.equal(queue.note(item('a', { version: 2, queue: null })), 'changed');
});

// ---- requests ---------------------------------------------------------------------------------------------

/** @param {(url: string, options: any) => Response | Promise<Response>} answer @param {boolean} [isOnline] */
function asking(answer, isOnline = true) {
  const clock = new FakeClock();
  /** @type {{url: string, body: any, headers: any, credentials: string}[]} */
  const asked = [];
  const request = /** @type {typeof fetch} */ (
    async (url, options) => {
      const { body, headers, credentials } = /** @type {any} */ (options);
      asked.push({ url: String(url), body: body && JSON.parse(body), headers, credentials });
      return answer(String(url), options);
    }
  );
  let keys = 0;
  const place = { server: 'https://desk.test', site: 'news', language: 'vi' };
  return { asked, clock, requests: new Requests(place, platform(clock, { isOnline: () => isOnline }), () => `key-${++keys}`, request) };
}

test('a decision whose answer was lost is sent again under the same key, and under the cookie', async () => {
  let attempts = 0;
  const { asked, clock, requests } = asking(() => {
    if (++attempts === 1) throw new TypeError('lost');
    return attempts === 2 ? new Response('{}', { status: 503 }) : Response.json({ results: [{ comment_id: 'a' }] });
  });
  const decided = requests.decide([{ comment_id: 'a', version: 3 }], { do: 'remove', reason: 'spam' });
  await settled();
  await clock.pass(700);
  await clock.pass(1400);
  assert.deepEqual(await decided, [{ comment_id: 'a' }]);
  assert.deepEqual(asked.map(({ headers }) => headers['Idempotency-Key']), ['key-1', 'key-1', 'key-1']);
  assert.deepEqual(asked[0]?.body, { site: 'news', decisions: [{ comment_id: 'a', version: 3, do: 'remove', reason: 'spam' }] });
  assert.deepEqual([asked[0]?.credentials, asked[0]?.headers['Accept-Language']], ['same-origin', 'vi']);
  assert.equal(asked[0]?.headers.Authorization, undefined);
});

test('what is refused is not tried again, nor is anything without a network', async () => {
  const refused = asking(() => Response.json({ code: 'forbidden', detail: 'No.' }, { status: 403 }));
  await assert.rejects(refused.requests.undo([{ comment_id: 'a', action: 'x' }]), { status: 403, detail: 'No.' });
  const offline = asking(() => Promise.reject(new TypeError('lost')), false);
  await assert.rejects(offline.requests.undo([{ comment_id: 'a', action: 'x' }]), { status: 0 });
  assert.deepEqual([refused.asked.length, offline.asked.length], [1, 1]);
});

test('many are asked for, and taken back, in parts', async () => {
  const { asked, requests } = asking((url) => Response.json(url.includes('/items') ? { items: [{}] } : { results: [{}] }));
  const ids = Array.from({ length: 120 }, (_, n) => `c${n}`);
  assert.equal((await requests.items(ids)).length, 3);
  assert.equal((await requests.undo(ids.map((comment_id) => ({ comment_id, action: 'x' })))).length, 2);
  assert.deepEqual(asked.map(({ url, body }) => body?.actions.length ?? new URL(url).searchParams.getAll('id').length), [50, 50, 20, 100, 20]);
  assert.deepEqual(chunks([], 3), []);
});

test('what is asked for often is asked for once at a time, and once more for whoever came meanwhile', async () => {
  const clock = new FakeClock();
  /** @type {(() => void)[]} */
  const answers = [];
  const counts = new Coalesced(() => new Promise((resolve) => answers.push(resolve)), 500, platform(clock));
  const first = counts.ask();
  const later = [counts.ask(), counts.ask()];
  assert.equal(answers.length, 1);
  answers[0]?.();
  await first;
  await settled();
  await clock.pass(499);
  assert.equal(answers.length, 1);
  await clock.pass(1);
  assert.equal(answers.length, 2);
  answers[1]?.();
  await Promise.all(later);
  assert.equal(answers.length, 2);
});

test('work that failed is done again for who asks after it', async () => {
  let attempts = 0;
  const counts = new Coalesced(async () => {
    if (++attempts === 1) throw new Error('lost');
  }, 0, platform(new FakeClock()));
  await assert.rejects(counts.ask());
  await counts.ask();
  assert.equal(attempts, 2);
});

// ---- undo, keys, selection --------------------------------------------------------------------------------

test('the last fifty decisions can be taken back, also on the next page', () => {
  const storage = new FakeStorage();
  const stack = () => new UndoStack(new SafeStorage(() => storage), 'news');
  for (let n = 0; n < MOST + 2; n++) stack().push({ did: 'keep', actions: [{ comment_id: `c${n}`, action: 'x' }] });
  stack().push({ did: 'keep', actions: [] });
  assert.equal(stack().steps.length, MOST);
  assert.equal(stack().pop()?.actions[0]?.comment_id, `c${MOST + 1}`);
  assert.equal(stack().steps.length, MOST - 1);
  assert.deepEqual(new UndoStack(new SafeStorage(() => storage), 'magazine').pop(), undefined);
});

/** @param {string} key @param {object} [with_] */
const press = (key, with_ = {}) => ({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, ...with_ });

test('keys mean what the list says, and those of the browser nothing', () => {
  const keys = new Keys();
  assert.deepEqual(keys.meaning(press('j'), 0), { command: 'next' });
  assert.deepEqual(keys.meaning(press('X', { shiftKey: true }), 0), { command: 'range' });
  assert.deepEqual(keys.meaning(press('A'), 0), { command: 'approve' }, 'with CapsLock');
  assert.deepEqual(keys.meaning(press('?', { shiftKey: true }), 0), { command: 'help' });
  assert.deepEqual(keys.meaning(press('3'), 0), { reason: 3 });
  for (const modifier of ['ctrlKey', 'altKey', 'metaKey', 'isComposing']) assert.equal(keys.meaning(press('r', { [modifier]: true }), 0), null);
  for (const other of ['9', 'z', 'Enter', 'toString']) assert.equal(keys.meaning(press(other), 0), null);
});

test('g and a second key lead to a queue, if they follow one another', () => {
  const keys = new Keys();
  assert.equal(keys.meaning(press('g'), 1000), null);
  assert.deepEqual(keys.meaning(press('r'), 2000), { queue: 'reported' });
  assert.deepEqual(keys.meaning(press('r'), 2001), { command: 'remove' });
  keys.meaning(press('g'), 5000);
  assert.deepEqual(keys.meaning(press('a'), 7000), { command: 'approve' });
  keys.meaning(press('g'), 9000);
  assert.deepEqual(keys.meaning(press('j'), 9100), { command: 'next' });
});

/** @param {string} letters */
const shown = (letters) => [...letters].map((comment_id) => ({ comment_id, version: 1 }));
/** @param {Selection} selection */
const chosen = (selection) => selection.targets.map(({ comment_id }) => comment_id).sort().join('');

test('a range goes from the last choice to here, in either direction, and chooses as that did', () => {
  const selection = new Selection();
  selection.set({ comment_id: 'd', version: 1 }, true);
  selection.range(shown('abcdef'), 'b');
  assert.equal(chosen(selection), 'bcd');
  selection.set({ comment_id: 'b', version: 1 }, false);
  selection.range(shown('abcdef'), 'c');
  assert.equal(chosen(selection), 'd');
});

test('a range without a beginning is one comment', () => {
  const selection = new Selection();
  selection.range(shown('abc'), 'b');
  assert.equal(chosen(selection), 'b');
});

test('what is chosen is what is shown now, and nothing that is decided', () => {
  const selection = new Selection();
  for (const target of shown('ab')) selection.set(target, true);
  selection.refresh({ comment_id: 'a', version: 5 });
  selection.refresh({ comment_id: 'z', version: 5 });
  selection.drop('b');
  assert.deepEqual(selection.targets, [{ comment_id: 'a', version: 5 }]);
  selection.clear();
  assert.equal(selection.size, 0);
});

// ---- who looks, and what waits --------------------------------------------------------------------------

/** @returns {any} */
function lookingOne() {
  const clock = new FakeClock();
  /** @type {(string | null)[]} */
  const said = [];
  return { clock, said, looking: new Looking((/** @type {any} */ { comment_id }) => said.push(comment_id), platform(clock)) };
}

test('a step is said at once, a walk through the cards once a second, and where one stays every ten', async () => {
  const { clock, said, looking } = lookingOne();
  looking.at('a');
  for (const id of ['b', 'c', 'd']) looking.at(id);
  assert.deepEqual(said, ['a']);
  await clock.pass(1000);
  assert.deepEqual(said, ['a', 'd']);
  await clock.pass(20_000);
  assert.deepEqual(said, ['a', 'd', 'd', 'd']);
  looking.at(null);
  await clock.pass(60_000);
  assert.deepEqual(said.slice(4), [null]);
  assert.equal(clock.pending, 0);
});

test('over a new connection it is said anew', async () => {
  const { clock, said, looking } = lookingOne();
  looking.anew();
  looking.at('a');
  await clock.pass(2000);
  looking.anew();
  assert.deepEqual(said, ['a', 'a']);
});

test('names stand at the comment that they look at', () => {
  const people = [['a', 'Mai'], ['b', 'Minh'], ['a', 'Hoa']].map(([comment_id = '', name = '']) => ({ comment_id, name }));
  assert.deepEqual([...byComment(people)], [['a', ['Mai', 'Hoa']], ['b', ['Minh']]]);
});

test('title and icon say how many wait', () => {
  assert.equal(titleWith(titleWith('Desk', 3), 12), '(12) Desk');
  assert.equal(titleWith('(12) Desk', 0), 'Desk');
  assert.deepEqual([0, 1, 9, 10].map(iconOf), ['/favicon.svg', '/favicon-1.svg', '/favicon-9.svg', '/favicon-more.svg']);
});

// ---- the page -------------------------------------------------------------------------------------------

const SRC = new URL('../src/desk/', import.meta.url);
const source = readdirSync(SRC).filter((name) => name.endsWith('.js')).map((name) => readFileSync(new URL(name, SRC), 'utf8')).join('\n');

test('every sentence of the script is in the catalogue, and none besides', () => {
  const english = Object.keys(JSON.parse(readFileSync(new URL('../../server/tertulia/languages/en.json', import.meta.url), 'utf8')).desk);
  const known = english.filter((key) => key.startsWith('desk.script.')).map((key) => key.slice('desk.script.'.length));
  const made = known.filter((key) => /^(?:did|by|then|key)_/.test(key) || ['ended', 'lost', 'changed_first'].includes(key));
  const said = [...source.matchAll(/\bt\(\s*(?:[^()']*\? )?'([a-z_]+)'(?: : '([a-z_]+)')?/g)].flatMap(([, one, other]) => [one, other]).filter(Boolean);
  assert.deepEqual([...new Set([...said, ...made])].sort(), [...known].sort());
  for (const command of Object.values(COMMANDS)) assert.ok(known.includes(`key_${command}`), command);
});

test('no attribute of the page is read under a name that is shortened', () => {
  const read = [...source.matchAll(/dataset\.(\w+)|\{([^{}]*)\} = root\.dataset/g)].flatMap(([, one = '', all = '']) => [one, ...all.matchAll(/\w+(?=[ ,=]|$)/g)].map(String));
  assert.ok(read.includes('rank') && read.includes('epoch'));
  assert.deepEqual(read.filter((name) => OWN.includes(name)), []);
});
