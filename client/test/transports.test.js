import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SafeStorage } from '../src/page/storage.js';
import { compression, socketTransport } from '../src/live/transports.js';
import { eventsTransport, pollTransport } from '../src/sharing/fallbacks.js';
import { FakeClock, FakeStorage, platform } from './helpers.js';

/** @returns {any} */
function handlers() {
  const log = /** @type {any[]} */ ([]);
  return { log, message: (/** @type {any} */ message) => log.push(message.type), closed: (/** @type {number} */ code) => log.push(code) };
}

class FakeSocket {
  static OPEN = 1;
  readyState = 1;
  /** @type {any} */
  onopen;
  /** @type {any} */
  onmessage;
  /** @type {any} */
  onerror;
  /** @type {any} */
  onclose;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }

  close() {}
  send() {}

  /** @param {number} n Messages that can be read. */
  tell(n) {
    this.onopen();
    for (; n > 0; n--) this.onmessage({ data: '{"type":"hello"}' });
    return this;
  }

  /** @param {number} code @param {boolean} [hasError] */
  end(code, hasError = false) {
    if (hasError) this.onerror?.({});
    this.onclose?.({ code, reason: '' });
  }
}

/** @type {FakeSocket[]} */
const sockets = [];

/** Opens a socket of a page; pages of one browser share its backend. @param {FakeStorage} backend */
function page(backend) {
  const result = compression(new SafeStorage(() => backend));
  const url = (/** @type {{seq: number}} */ { seq }, /** @type {number | undefined} */ compress) => `ws://x/?after=${seq}&compress=${compress}`;
  const transport = socketTransport(url, /** @type {any} */ (FakeSocket), result);
  return () => {
    const received = handlers();
    const link = transport({ epoch: 'e', seq: 3 }, received);
    return { received, link, socket: /** @type {FakeSocket} */ (sockets.at(-1)) };
  };
}

const COMPRESSED = 'ws://x/?after=3&compress=undefined';
const PLAIN = 'ws://x/?after=3&compress=0';

test('a socket tells its messages and its close, and nothing once it was closed', () => {
  const { received, link, socket } = page(new FakeStorage())();
  assert.equal(socket.url, COMPRESSED);
  socket.tell(1).end(1006);
  link.close();
  assert.deepEqual([received.log, socket.onclose, socket.onmessage], [['hello', 1006], null, null]);
});

/** @type {[string, (socket: FakeSocket) => void, string][]} */
const endings = [
  ['a frame that the browser could not read, first', (socket) => socket.tell(0).end(1006, true), PLAIN],
  ['a frame that the browser could not read, after hello', (socket) => socket.tell(1).end(1006, true), PLAIN],
  ['a frame that the server could not read', (socket) => socket.tell(9).end(1002), PLAIN],
  ['text that is not UTF-8', (socket) => socket.tell(9).end(1007), PLAIN],
  ['a message that is no JSON', (socket) => socket.tell(9).onmessage({ data: '\ufffd' }), PLAIN],
  ['a network that was cut', (socket) => socket.tell(1).end(1006), COMPRESSED],
  ['an error long after hello', (socket) => socket.tell(9).end(1006, true), COMPRESSED],
  ['a socket that never opened', (socket) => socket.end(1006, true), COMPRESSED],
];

for (const [name, end, next] of endings) {
  test(`${name}: the next socket is ${next === PLAIN ? 'plain' : 'compressed'}`, () => {
    const backend = new FakeStorage();
    const open = page(backend);
    const { received, socket } = open();
    end(socket);
    assert.equal(typeof received.log.at(-1), 'number');
    assert.deepEqual([open().socket.url, page(backend)().socket.url], [next, next]);
  });
}

test('plain messages are asked for during a week, and while the page is open where nothing is kept', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const [backend, blocked] = [new FakeStorage(), new FakeStorage()];
  blocked.isBroken = true;
  const pages = [page(backend), page(blocked)];
  for (const open of pages) open().socket.tell(1).end(1007);
  assert.deepEqual(pages.map((open) => open().socket.url), [PLAIN, PLAIN]);
  assert.equal(page(blocked)().socket.url, COMPRESSED);
  t.mock.timers.tick(7 * 24 * 3_600_000);
  assert.deepEqual([pages[0]().socket.url, page(backend)().socket.url], [COMPRESSED, COMPRESSED]);
});

test('an event source is closed on error, so that the browser does not reconnect by itself', () => {
  let closes = 0;
  /** @type {any} */
  let source;
  class FakeSource {
    constructor() {
      source = this;
    }
    close() {
      closes++;
    }
  }
  const received = handlers();
  eventsTransport(() => '/events', /** @type {any} */ (FakeSource))({ epoch: 'e', seq: 0 }, received);
  source.onmessage({ data: '{"type":"hello"}' });
  source.onerror();
  assert.deepEqual([received.log, closes], [['hello', 0], 1]);
});

test('polling asks every 10 s, at once while there is more, and goes on after what it got', async () => {
  const clock = new FakeClock();
  const answers = [
    { epoch: 'e', seq: 9, events: [{ seq: 4 }], more: true },
    { epoch: 'e', seq: 9, events: [{ seq: 9 }], more: false },
    { epoch: 'f', seq: 0, events: [], more: false },
  ];
  /** @type {number[]} */
  const asked = [];
  const received = handlers();
  const ask = async (/** @type {{seq: number}} */ { seq }) => {
    asked.push(seq);
    return /** @type {any} */ (answers[asked.length - 1]);
  };
  const link = pollTransport({ ask, ...platform(clock) })({ epoch: 'e', seq: 3 }, received);
  await clock.pass(0);
  assert.deepEqual(asked, [3, 4]);
  await clock.pass(9_999);
  assert.equal(asked.length, 2);
  await clock.pass(1);
  assert.deepEqual(asked, [3, 4, 9]);
  assert.deepEqual(received.log, ['polled', 'events', 'polled', 'events', 'reset']);
  link.close();
  assert.equal(clock.pending, 0);
});

test('a poll that fails ends the connection once', async () => {
  const clock = new FakeClock();
  const received = handlers();
  pollTransport({ ask: () => Promise.reject(new Error('down')), ...platform(clock) })({ epoch: 'e', seq: 3 }, received);
  await clock.pass(60_000);
  assert.deepEqual(received.log, [0]);
});
