/** Whatever happens in between: the snapshot, the pages and the events give what the server has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOut, load, loadSkipped } from '../src/actions/browse/threadPages.js';
import { Thread } from '../src/live/thread.js';
import { comment, randomFrom, snapshot } from './helpers.js';
import { Browser } from './windows.js';

/** @typedef {import('../src/live/wire.js').Comment} Comment @typedef {import('../src/live/wire.js').Event} Event */

const RUNS = 150;
const PAGE = 4;

/** A server small enough to be obviously right. */
class Server {
  /** @type {Map<string, Comment>} */
  comments = new Map();
  /** @type {Event[]} */
  events = [];
  #made = 0;

  /** @param {() => number} random @param {'oldest' | 'newest'} sort */
  constructor(random, sort) {
    this.random = random;
    this.sort = sort;
  }

  /** @param {number} n */
  #below(n) {
    return Math.floor(this.random() * n);
  }

  act() {
    const known = [...this.comments.values()];
    const at = known[this.#below(known.length)];
    const choice = known.length ? this.#below(8) : 0;
    if (choice < 4) this.#create(at && choice > 1 ? at.id : null);
    else if (choice === 4) this.#emit('comment.voted', { ...at, votes: { up: this.#below(9), down: 0 } });
    else if (choice === 5) this.#emit('comment.edited', { ...at, edited_at: String(this.events.length) });
    else if (choice === 6) this.#remove(at);
    else this.#emit('comment.pinned', { ...at, pinned: !at.pinned });
  }

  /** @param {string | null} parent_id */
  #create(parent_id) {
    const made = comment(++this.#made, { parent_id });
    this.#emit('comment.created', made);
    if (!parent_id) return;
    const parent = /** @type {Comment} */ (this.comments.get(parent_id));
    const counted = { ...parent, reply_count: parent.reply_count + 1 };
    this.comments.set(parent_id, counted);
    /** @type {Event} */ (this.events.at(-1)).parent = { id: parent_id, reply_count: counted.reply_count };
    this.#countThread(made);
  }

  /** @param {Comment} at */
  #remove(at) {
    this.#emit('comment.removed', { ...at, state: 'removed', body: null, author: null });
    if (at.parent_id) this.#countThread(at);
  }

  /** @param {Comment} reply */
  #countThread(reply) {
    const root = this.#root(reply);
    /** @type {Event} */ (this.events.at(-1)).thread_counts = { [root]: this.count(root) };
  }

  /** How many replies of all depths are visible. @param {string} root */
  count(root) {
    return this.replies(root).filter(({ state }) => state === 'visible').length;
  }

  /** @param {string} kind @param {Comment} now */
  #emit(kind, now) {
    this.comments.set(now.id, now);
    const about = kind === 'comment.voted' ? { comment_id: now.id, votes: now.votes } : { comment: now };
    this.events.push({ seq: this.events.length + 1, kind, at: '', ...about, comment_count: this.visible });
  }

  get visible() {
    return [...this.comments.values()].filter(({ state }) => state === 'visible').length;
  }

  /** @param {Comment} one */
  #root(one) {
    while (one.parent_id) one = /** @type {Comment} */ (this.comments.get(one.parent_id));
    return one.id;
  }

  roots() {
    const found = [...this.comments.values()].filter(({ parent_id }) => !parent_id);
    return this.sort === 'newest' ? found.reverse() : found;
  }

  /** @param {string} root */
  replies(root) {
    return [...this.comments.values()].filter((one) => one.parent_id && this.#root(one) === root);
  }

  /** @param {string | undefined} after */
  page(after) {
    const roots = this.roots();
    const start = after ? roots.findIndex(({ id }) => id === after) + 1 : 0;
    const shown = roots.slice(start, start + PAGE);
    /** @type {Record<string, string>} */
    const cut = {};
    const comments = shown.flatMap((root) => {
      const replies = this.replies(root.id);
      if (replies.length > 3) cut[root.id] = replies[2].id;
      return [root, ...replies.slice(0, 3)];
    });
    return { comments, next: roots.length > start + PAGE ? shown[PAGE - 1].id : null, replies: cut, thread_counts: this.counts(cut), votes: {} };
  }

  /** @param {Record<string, string>} cut */
  counts(cut) {
    return Object.fromEntries(Object.keys(cut).map((root) => [root, this.count(root)]));
  }

  /** @param {string} root @param {string | undefined} after */
  thread(root, after) {
    const all = this.replies(root);
    const start = all.findIndex(({ id }) => id === after) + 1;
    const comments = all.slice(start, start + PAGE);
    return { comments, next: all.length > start + PAGE ? comments[PAGE - 1].id : null, replies: {}, votes: {} };
  }
}

/** A request that reads the server at one moment and is answered at a later one. @param {() => any} read */
function request(read) {
  /** @type {any} */
  let answer;
  /** @type {any} */
  let page;
  const promise = new Promise((resolve) => (answer = resolve));
  return { promise, read: () => (page ??= read()), answer: () => answer((page ??= read())) };
}

/** @param {number} seed */
async function run(seed) {
  const random = randomFrom(seed);
  const sort = random() < 0.5 ? 'oldest' : 'newest';
  const server = new Server(random, sort);
  for (let n = 0; n < 25; n++) server.act();
  const start = server.page(undefined);
  const thread = new Thread({ ...snapshot([], { seq: server.events.length }), ...start }, sort);
  /** @type {{open: ReturnType<typeof request>, done: Promise<unknown>}[]} */
  const open = [];
  const ask = () => {
    const parent = thread.nextPages.size && random() < 0.6 ? [...thread.nextPages.keys()][0] : null;
    if ((!parent && !thread.nextPage) || open.length > 0) return;
    /** @type {any} */
    let made;
    const done = load(thread, parent, (cursor) => {
      made = request(() => (parent ? server.thread(parent, cursor) : server.page(cursor)));
      return made.promise;
    });
    open.push({ open: made, done });
  };
  const deliver = () => {
    const event = server.events[thread.discussion.seq];
    if (event) assert.equal(thread.apply(event, []), 'applied');
  };
  const finish = async () => {
    const first = open.shift();
    first?.open.answer();
    await first?.done;
  };
  for (let step = 0; step < 120; step++) {
    const choice = random();
    if (choice < 0.35) server.act();
    else if (choice < 0.65) deliver();
    else if (choice < 0.8) ask();
    else if (choice < 0.9) open[0]?.open.read();
    else await finish();
  }
  await finish();
  while (thread.discussion.seq < server.events.length) deliver();
  for (const root of thread.nextPages.keys()) assert.equal(thread.threadCounts[root], server.count(root), `seed ${seed}: count`);
  for (let n = 0; n < 200 && (thread.nextPage || thread.nextPages.size); n++) {
    ask();
    await finish();
  }
  assert.deepEqual(thread.roots, server.roots().map(({ id }) => id), `seed ${seed}: order`);
  assert.deepEqual(Object.fromEntries(thread.comments), Object.fromEntries(server.comments), `seed ${seed}: state`);
}

/** What a busy server says of some events: the newest comments, the last votes, all of the other kinds. @param {Event[]} events @param {number} shown */
function summaryOf(events, shown) {
  const made = events.filter(({ kind }) => kind === 'comment.created');
  const kept = events.filter((event, index) =>
    event.kind === 'comment.voted' ? !events.slice(index + 1).some(({ kind, comment_id }) => kind === event.kind && comment_id === event.comment_id)
      : event.kind !== 'comment.created' || made.slice(made.length - shown).includes(event));
  return { from: events[0].seq, to: events[events.length - 1].seq, count: made.length, events: kept };
}

/** A log that is told once event by event, and once with summaries whose rest is read at some time. @param {number} seed */
async function runSummaries(seed) {
  const random = randomFrom(seed);
  const sort = random() < 0.5 ? 'oldest' : 'newest';
  const server = new Server(random, sort);
  for (let n = 0; n < 15; n++) server.act();
  const start = { ...snapshot([], { seq: server.events.length, count: server.visible }), ...server.page(undefined) };
  const [whole, short] = [new Thread(start, sort), new Thread(start, sort)];
  /** `open` is the first request, if there was one. @type {{open?: ReturnType<typeof request>, done: Promise<unknown>}[]} */
  const filling = [];
  let isShort = false;
  const next = () => server.events.slice(short.discussion.seq, short.discussion.seq + 1 + Math.floor(random() * 12));
  const tell = () => {
    const events = next();
    if (!events.length) return;
    if (random() < 0.4) for (const event of events) assert.equal(short.apply(event, []), 'applied');
    else assert.equal(short.summarise(summaryOf(events, 1 + Math.floor(random() * 3)), []), 'applied');
    isShort ||= leftOut(short) > 0;
    assert.equal(short.discussion.seq, events[events.length - 1].seq);
  };
  const refill = () => {
    if (filling.length || !isShort) return;
    /** @type {any} */
    let open;
    const done = loadSkipped(short, ({ seq }) => {
      const found = request(() => ({ epoch: 'e1', events: server.events.slice(seq, seq + 7), more: server.events.length > seq + 7 }));
      if (!open) open = found;
      else found.answer();
      return /** @type {any} */ (found.promise);
    });
    filling.push({ open, done });
  };
  const finish = async () => {
    const first = filling.shift();
    first?.open?.answer();
    await first?.done;
  };
  for (let step = 0; step < 150; step++) {
    const choice = random();
    if (choice < 0.55) server.act();
    else if (choice < 0.75) tell();
    else if (choice < 0.85) refill();
    else if (choice < 0.9) filling[0]?.open?.read();
    else await finish();
  }
  while (short.discussion.seq < server.events.length) tell();
  await finish();
  refill();
  await finish();
  for (const event of server.events.slice(whole.discussion.seq)) whole.apply(event, []);
  const state = (/** @type {Thread} */ { roots, comments, children, cursor }) =>
    ({ roots, cursor, comments: Object.fromEntries(comments), children: Object.fromEntries(children) });
  assert.deepEqual(state(short), state(whole), `seed ${seed}`);
}

/**
 * Windows that come, go, freeze, crash and hide, on one connection over a channel that loses, doubles and delays, to a server
 * that cuts and goes away. @param {number} seed
 */
async function runWindows(seed) {
  const browser = new Browser(seed);
  const { server, random } = browser;
  const mode = random() < 0.5 ? 'socket' : 'events';
  browser.carry = () => (random() < 0.1 ? 0 : random() < 0.1 ? 2 : 1);
  const any = () => browser.living[Math.floor(random() * browser.living.length)];
  /** @type {[number, () => void][]} How often, and what. */
  const happenings = [
    [8, () => server.post()],
    [2, () => browser.living.length < 6 && browser.open({ mode, isHidden: random() < 0.3 })],
    [1, () => any()?.freeze()],
    [1, () => any()?.thaw()],
    [0.5, () => any()?.crash()],
    [1, () => any()?.stream.away()],
    [1, () => any()?.stream.visible()],
    [1, () => any()?.show(random() < 0.5)],
    [0.5, () => server.cut(random() < 0.5 ? 1006 : 1012)],
    [0.5, () => void (server.isDown = !server.isDown)],
    [0.2, () => any()?.reread()],
    [0.1, () => server.renew()],
    [0.5, () => any()?.stream.offline()],
    [0.5, () => void (browser.latency = 1 + Math.floor(random() * 40))],
  ];
  const total = happenings.reduce((sum, [often]) => sum + often, 0);
  browser.open({ mode });
  for (let step = 0; step < 150; step++) {
    let choice = random() * total;
    happenings.find(([often]) => (choice -= often) < 0)?.[1]();
    await browser.pass(Math.floor(random() ** 4 * 20_000));
  }
  server.isDown = false;
  browser.carry = () => 1;
  for (const window of browser.living) window.thaw();
  for (const window of browser.living) window.show(false);
  for (const window of browser.living) window.stream.visible();
  await browser.pass(180_000);
  server.post();
  await browser.pass(15_000);
  const known = server.events.map(({ comment: one }) => one?.id);
  for (const window of browser.living) {
    assert.deepEqual(window.has, known, `seed ${seed}`);
    assert.equal(new Set(window.added).size, window.added.length, `seed ${seed}: once`);
    assert.equal(window.stream.state, 'live', `seed ${seed}`);
  }
  if (process.env.DBG && server.open.size !== 1) console.log(seed, [...server.open].map((l) => [browser.windows.indexOf(l.window), l.mode, l.window.isGone, l.window.stream.state, l.window.stream.mode]), [...browser.locks.held].map(([n, r]) => [n, browser.windows.indexOf(r.window)]), browser.windows.map((w) => w.isGone), browser.locks.waiting.map((r) => browser.windows.indexOf(r.window)), [...browser.channels].map(([n, s]) => [n, s.size]));
  // a window that had tried everything while the server was away asks again and again instead
  assert.ok(server.open.size <= 1, `seed ${seed}: ${server.open.size} connections`);
  for (const { stream } of browser.windows) stream.close();
}

test('windows that share a connection over a channel that loses and doubles end with what the server has, each event once', async () => {
  for (let seed = 1; seed <= RUNS / 3; seed++) await runWindows(seed);
});

test('summaries whose rest is read at any time end where all events do', async () => {
  for (let seed = 1; seed <= 3 * RUNS; seed++) await runSummaries(seed);
});

test('snapshot, pages and events in any interleaving give what the server has', async () => {
  for (let seed = 1; seed <= RUNS; seed++) await run(seed);
});
