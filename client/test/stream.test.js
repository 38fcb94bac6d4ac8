import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stream } from '../src/live/stream.js';
import { FakeClock, settled, platform } from './helpers.js';

/** @typedef {import('../src/live/wire.js').Message} Message @typedef {import('../src/live/thread.js').DeliveryResult} DeliveryResult */

const HELLO = { type: 'hello', epoch: 'e1', seq: 5, heartbeat: 25, readers: 2 };

/** A stream whose connections are made by hand. */
class Rig {
  clock = new FakeClock();
  /** @type {{mode: string, seq: number, isOpen: boolean, sent: string[], message: (message: Message) => void, closed: (code: number, reason?: string) => void}[]} */
  links = [];
  /** @type {string[]} */
  states = [];
  /** @type {Message[]} */
  received = [];
  /** @type {DeliveryResult} */
  result = 'ok';
  resets = 0;
  seq = 5;
  isOnline = true;
  isReachable = true;

  constructor() {
    const transport = (/** @type {string} */ mode) => (/** @type {any} */ cursor, /** @type {any} */ handlers) => {
      const link = { mode, seq: cursor.seq, isOpen: true, sent: /** @type {string[]} */ ([]), ...handlers };
      link.closed = (/** @type {number} */ code, reason = '') => handlers.closed(code, reason);
      this.links.push(link);
      return { close: () => (link.isOpen = false), send: (/** @type {string} */ text) => link.sent.push(text) };
    };
    this.stream = new Stream({
      transports: { socket: transport('socket'), events: transport('events'), poll: transport('poll') },
      thread: () => ({
        cursor: { epoch: 'e1', seq: this.seq },
        receive: (message) => (this.received.push(message), this.result),
      }),
      received: () => {},
      reset: () => void this.resets++,
      probe: async () => this.isReachable,
      changed: (state) => void this.states.push(state),
      platform: platform(this.clock, { isOnline: () => this.isOnline }),
    });
    this.stream.start();
  }

  get link() {
    return /** @type {(typeof this.links)[0]} */ (this.links.at(-1));
  }

  get open() {
    return this.links.filter(({ isOpen }) => isOpen).length;
  }

  live() {
    this.link.message(HELLO);
    return this;
  }
}

test('hello makes it live, and messages are delivered', () => {
  const rig = new Rig().live();
  rig.link.message({ type: 'something new' });
  assert.deepEqual(rig.states, ['connecting', 'live']);
  assert.equal(rig.received.length, 2);
});

test('back-off doubles to 30 s, with full jitter and 0.1 s', async () => {
  const rig = new Rig();
  rig.isReachable = false;
  const waits = [];
  for (let n = 0; n < 9; n++) {
    const before = rig.clock.now;
    rig.link.closed(1006);
    await settled();
    while (!rig.open) await rig.clock.pass(1);
    waits.push(rig.clock.now - before);
  }
  assert.deepEqual(waits.map(Math.round), [350, 600, 1100, 2100, 4100, 8100, 15100, 15100, 15100]);
});

test('back-off starts anew only after 10 s up', async () => {
  const rig = new Rig().live();
  rig.link.closed(1006);
  await rig.clock.pass(350);
  rig.live().link.closed(1006);
  await rig.clock.pass(400);
  assert.equal(rig.open, 0);
  await rig.clock.pass(200);
  rig.live();
  await rig.clock.pass(10_000);
  rig.link.closed(1006);
  await rig.clock.pass(350);
  assert.equal(rig.open, 1);
});

test('silence of 45 s ends the connection; a heartbeat keeps it', async () => {
  const rig = new Rig().live();
  await rig.clock.pass(44_000);
  rig.link.message({ type: 'heartbeat', seq: 5, readers: 2 });
  await rig.clock.pass(44_000);
  assert.equal(rig.stream.state, 'live');
  await rig.clock.pass(1_000);
  assert.equal(rig.stream.state, 'waiting');
  assert.equal(rig.open, 0);
  await rig.clock.pass(1_000);
  assert.equal(rig.open, 1);
});

test('a gap reconnects after the last seq', async () => {
  const rig = new Rig().live();
  rig.seq = 7;
  rig.result = 'gap';
  rig.link.message({ type: 'events', events: [] });
  assert.equal(rig.open, 0);
  rig.result = 'ok';
  await rig.clock.pass(350);
  assert.equal(rig.link.seq, 7);
});

test('reset closes, asks for a snapshot and waits to be started', async () => {
  const rig = new Rig().live();
  rig.result = 'reset';
  rig.link.message({ type: 'reset', epoch: 'e2', seq: 0 });
  assert.deepEqual([rig.resets, rig.open], [1, 0]);
  await rig.clock.pass(60_000);
  assert.equal(rig.links.length, 1);
  rig.stream.start();
  assert.equal(rig.open, 1);
});

for (const code of [4400, 4403, 4410]) {
  test(`close code ${code} stops for good`, async () => {
    const rig = new Rig().live();
    rig.link.closed(code);
    rig.stream.online();
    rig.stream.visible();
    await rig.clock.pass(600_000);
    assert.deepEqual([rig.stream.state, rig.links.length, rig.clock.pending], ['stopped', 1, 0]);
  });
}

test('4408 resumes at once, 4429 after what it says, 1012 within 5 s', async () => {
  const table = /** @type {const} */ ([[4408, '', 0], [4429, '7000', 7000], [1012, '', 2500]]);
  for (const [code, reason, wait] of table) {
    const rig = new Rig().live();
    rig.link.closed(code, reason);
    if (wait) await rig.clock.pass(wait - 1);
    assert.equal(rig.open, 0, String(code));
    await rig.clock.pass(1);
    assert.equal(rig.open, 1, String(code));
  }
});

test('a connection that does not open in 10 s is given up', async () => {
  const rig = new Rig();
  await rig.clock.pass(10_000);
  assert.equal(rig.stream.state, 'waiting');
  assert.equal(rig.open, 0);
});

test('twice closed unopened: socket, then events, then poll', async () => {
  const rig = new Rig();
  for (let n = 0; n < 4; n++) {
    rig.link.closed(n % 2 ? 1006 : 0);
    await rig.clock.pass(700);
  }
  assert.deepEqual(rig.links.map(({ mode }) => mode), ['socket', 'socket', 'events', 'events', 'poll']);
  assert.ok(rig.clock.now < 3000);
  rig.live();
  assert.equal(rig.stream.state, 'live');
});

test('a server that is down changes no mode', async () => {
  const rig = new Rig();
  rig.isReachable = false;
  for (let n = 0; n < 5; n++) {
    rig.link.closed(1006);
    await rig.clock.pass(31_000);
  }
  assert.deepEqual(new Set(rig.links.map(({ mode }) => mode)), new Set(['socket']));
});

test('what has once opened is not given up for another mode', async () => {
  const rig = new Rig();
  for (let n = 0; n < 4; n++) {
    rig.link.closed(1006);
    await rig.clock.pass(700);
    if (rig.link.mode === 'socket') rig.live();
  }
  assert.equal(rig.stream.mode, 'socket');
});

test('a browser that says it is offline is tried all the same, at first and with the usual back-off', async () => {
  const rig = new Rig();
  rig.stream.close();
  rig.isOnline = false;
  rig.links.length = rig.states.length = 0;
  rig.stream.start();
  assert.deepEqual([rig.states, rig.open], [['connecting'], 1]);
  rig.isReachable = false;
  const waits = [];
  for (let n = 0; n < 8; n++) {
    const before = rig.clock.now;
    rig.link.closed(1006);
    await settled();
    assert.equal(rig.stream.state, 'offline');
    while (!rig.open) await rig.clock.pass(1);
    waits.push(rig.clock.now - before);
  }
  assert.deepEqual(waits.map(Math.round), [350, 600, 1100, 2100, 4100, 8100, 15100, 15100]);
  rig.live();
  assert.equal(rig.stream.state, 'live');
});

test('a browser that is wrong about being offline costs a live connection one reconnection', async () => {
  const rig = new Rig().live();
  rig.isOnline = false;
  rig.stream.offline();
  assert.deepEqual([rig.stream.state, rig.open], ['offline', 0]);
  await rig.clock.pass(350);
  rig.live();
  assert.deepEqual([rig.stream.state, rig.links.length, rig.link.seq], ['live', 2, 5]);
  for (let n = 0; n < 3; n++) {
    await rig.clock.pass(25_000);
    rig.link.message({ type: 'heartbeat', seq: 5, readers: 1 });
  }
  assert.deepEqual([rig.stream.state, rig.links.length], ['live', 2]);
});

test('a browser that says it is offline changes the mode where only sockets fail, as any other', async () => {
  const rig = new Rig();
  rig.isOnline = false;
  for (let n = 0; n < 2; n++) {
    rig.link.closed(1006);
    await rig.clock.pass(700);
  }
  assert.deepEqual(rig.links.map(({ mode }) => mode), ['socket', 'socket', 'events']);
});

test('offline is told while it waits, and online tries at once and with the best mode', async () => {
  const rig = new Rig().live();
  rig.link.closed(1006);
  rig.isOnline = false;
  rig.stream.offline();
  assert.equal(rig.stream.state, 'offline');
  rig.stream.mode = 'poll';
  rig.isOnline = true;
  rig.stream.online();
  assert.deepEqual([rig.links.length, rig.link.mode], [2, 'socket']);
});

test('online gives up an attempt that was begun without a network', async () => {
  const rig = new Rig();
  rig.isOnline = false;
  rig.stream.offline();
  assert.equal(rig.stream.state, 'connecting');
  rig.isOnline = true;
  rig.stream.online();
  assert.deepEqual([rig.links.length, rig.open], [2, 1]);
});

test('offline and online wake nothing that is closed, asleep at most', async () => {
  for (const end of /** @type {const} */ (['close', 'away'])) {
    const rig = new Rig().live();
    rig.stream[end]();
    const { state } = rig.stream;
    rig.stream.offline();
    await rig.clock.pass(60_000);
    assert.deepEqual([rig.stream.state, rig.links.length], [state, 1]);
  }
});

test('a probe that is never answered does not end the attempts', async () => {
  const rig = new Rig();
  rig.isReachable = /** @type {any} */ (new Promise(() => {}));
  rig.link.closed(1006);
  await rig.clock.pass(700);
  rig.link.closed(1006);
  await rig.clock.pass(10_000);
  assert.deepEqual([rig.links.length, rig.link.mode], [3, 'socket']);
});

test('hidden for 5 min closes, visible reconnects at once', async () => {
  const rig = new Rig().live();
  rig.stream.hidden();
  for (let n = 0; n < 12; n++) {
    rig.link.message({ type: 'heartbeat', seq: 5, readers: 1 });
    await rig.clock.pass(24_000);
  }
  assert.equal(rig.open, 1);
  rig.link.message({ type: 'heartbeat', seq: 5, readers: 1 });
  await rig.clock.pass(12_000);
  assert.deepEqual([rig.stream.state, rig.open], ['asleep', 0]);
  rig.stream.visible();
  assert.equal(rig.open, 1);
});

test('visible again before 5 min changes nothing', async () => {
  const rig = new Rig().live();
  rig.stream.hidden();
  rig.stream.visible();
  assert.equal(rig.links.length, 1);
});

test('visible while waiting tries now, and the back-off timer starts no second loop', async () => {
  const rig = new Rig().live();
  rig.link.closed(1006);
  rig.stream.visible();
  assert.equal(rig.links.length, 2);
  await rig.clock.pass(5_000);
  assert.equal(rig.links.length, 2);
});

test('a left page closes, and a late close starts no second loop', async () => {
  const rig = new Rig().live();
  const [first] = rig.links;
  rig.stream.away();
  rig.stream.visible();
  first.closed(1006);
  first.message(HELLO);
  await rig.clock.pass(5_000);
  assert.equal(rig.links.length, 2);
  assert.equal(rig.open, 1);
});

test('closed for good leaves no timer', async () => {
  const rig = new Rig().live();
  rig.stream.hidden();
  rig.stream.close();
  rig.stream.online();
  await rig.clock.pass(600_000);
  assert.deepEqual([rig.stream.state, rig.open, rig.links.length, rig.clock.pending], ['idle', 0, 1, 0]);
});

test('a probe that is answered after the stream was closed starts nothing', async () => {
  const rig = new Rig();
  rig.link.closed(1006);
  await rig.clock.pass(350);
  rig.link.closed(1006);
  rig.stream.close();
  await settled();
  assert.equal(rig.links.length, 2);
});

test('writing is said only while live', () => {
  const rig = new Rig();
  rig.stream.send({ type: 'writing' });
  rig.live();
  rig.stream.send({ type: 'writing' });
  assert.deepEqual(rig.link.sent, ['{"type":"writing"}']);
});

test('what is closed for good leaves no timer, not even that of a hidden page', () => {
  const rig = new Rig().live();
  rig.stream.hidden();
  rig.stream.close();
  assert.equal(rig.clock.pending, 0);
});
