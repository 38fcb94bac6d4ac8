/** One connection for the windows of a browser: who has it, who takes it over, and that each window gets every event once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser } from './windows.js';

/** @typedef {import('./windows.js').FakeWindow} FakeWindow */

/** @param {Browser} browser */
const all = ({ server }) => server.events.map(({ comment }) => comment?.id);

/** Each window has all, and each comment appeared once. @param {Browser} browser @param {FakeWindow[]} [windows] */
function assertWhole(browser, windows = browser.living) {
  for (const window of windows) {
    assert.deepEqual(window.has, all(browser));
    assert.deepEqual(window.added, [...new Set(window.added)]);
  }
}

/** @param {number} n @param {(browser: Browser) => void} [prepare] @param {object} [values] Of the windows. */
async function opened(n, prepare = () => {}, values = {}) {
  const browser = new Browser();
  prepare(browser);
  browser.server.post();
  for (let number = 0; number < n; number++) {
    browser.open(values);
    await browser.pass(50);
  }
  await browser.pass(2000);
  return browser;
}

/** @param {Browser} browser */
const leaders = (browser) => browser.living.filter((window) => window.isLeading);

test('eight windows have one connection, are live and get what happens', async () => {
  const browser = await opened(8);
  assert.equal(browser.server.open.size, 1);
  browser.server.post();
  await browser.pass(10);
  assert.deepEqual(browser.windows.map(({ stream }) => stream.state), Array(8).fill('live'));
  assertWhole(browser);
  assert.equal(browser.server.asked, 0);
});

test('eight windows that open at once have one connection', async () => {
  const browser = new Browser();
  for (let n = 0; n < 8; n++) browser.open();
  await browser.pass(2000);
  browser.server.post();
  await browser.pass(10);
  assert.deepEqual([browser.server.open.size, browser.server.opened], [1, 1]);
  assertWhole(browser);
});

test('windows of two discussions have a connection each', async () => {
  const browser = await opened(2);
  browser.open({ key: 'other' });
  await browser.pass(2000);
  assert.equal(browser.server.open.size, 2);
});

test('presence, heartbeat and the number of readers reach who follows, and silence does not end it', async () => {
  const browser = await opened(2);
  const [, follower] = browser.windows;
  browser.server.tell({ type: 'presence', readers: 7, writing: 2 });
  await browser.pass(10);
  assert.deepEqual(follower.received.at(-1), { type: 'presence', readers: 7, writing: 2 });
  await browser.pass(200_000);
  assert.deepEqual([follower.stream.state, browser.server.opened], ['live', 1]);
  assert.deepEqual(follower.states, ['connecting', 'live']);
});

test('what one writes in a window goes out by the connection, and is not taken for another writer there', async () => {
  const browser = await opened(3);
  const [leader, writer, reader] = browser.windows;
  writer.stream.send({ type: 'writing' });
  await browser.pass(10);
  assert.deepEqual(browser.server.written, ['{"type":"writing"}']);
  browser.server.tell({ type: 'presence', readers: 2, writing: 2 });
  await browser.pass(10);
  // the window that writes takes itself off by itself
  assert.deepEqual([leader, writer, reader].map(({ received }) => received.at(-1)?.writing), [1, 2, 1]);
  await browser.pass(6000);
  browser.server.tell({ type: 'presence', readers: 2, writing: 2 });
  await browser.pass(10);
  assert.equal(reader.received.at(-1)?.writing, 2);
});

/** @type {[string, (leader: FakeWindow) => void, number][]} */
const ends = [
  ['is closed', (leader) => (leader.stream.close(), leader.crash()), 200],
  ['crashes', (leader) => leader.crash(), 200],
  ['is put away', (leader) => leader.stream.away(), 200],
  ['is frozen without being told', (leader) => leader.freeze(), 17_000],
];
for (const [name, end, within] of ends) {
  test(`the window that leads ${name}: another does, within ${within} ms, and nothing is missed or shown as trouble`, async () => {
    const browser = await opened(4);
    const [leader, ...others] = browser.windows;
    assert.ok(leader.isLeading);
    end(leader);
    browser.server.post();
    await browser.pass(within);
    assert.equal(others.filter((window) => window.isLeading).length, 1);
    browser.server.post();
    await browser.pass(10);
    assertWhole(browser, others);
    for (const window of others) assert.deepEqual(window.states, ['connecting', 'live']);
  });
}

test('a window that was frozen while it led follows when it is back', async () => {
  const browser = await opened(3);
  const [leader] = browser.windows;
  leader.freeze();
  for (let n = 0; n < 3; n++) {
    await browser.pass(17_000);
    browser.server.post();
  }
  leader.thaw();
  await browser.pass(2000);
  assert.equal(browser.server.open.size, 1);
  browser.server.post();
  await browser.pass(10);
  assertWhole(browser);
  await browser.pass(60_000);
  assert.equal(browser.server.open.size, 1);
});

test('a window that opens while who leads is frozen does not wait for long', async () => {
  const browser = await opened(1);
  browser.windows[0].freeze();
  browser.server.post();
  const late = browser.open();
  await browser.pass(2000);
  assert.deepEqual([late.stream.state, late.isLeading], ['live', true]);
  browser.server.post();
  await browser.pass(10);
  assertWhole(browser, [late]);
});

for (const missing of /** @type {const} */ (['hasLocks', 'hasChannels'])) {
  test(`without ${missing === 'hasLocks' ? 'locks' : 'channels'} each window goes alone`, async () => {
    const browser = await opened(3, (one) => void (one[missing] = false));
    assert.equal(browser.server.open.size, 3);
    browser.server.post();
    await browser.pass(10);
    assertWhole(browser);
  });
}

for (const how of ['refuse', 'throw']) {
  test(`where locks ${how} each window goes alone`, async () => {
    const browser = new Browser();
    const error = new DOMException('denied', 'SecurityError');
    const request = how === 'refuse' ? () => Promise.reject(error) : () => {
      throw error;
    };
    browser.locks.of = () => /** @type {any} */ ({ request });
    for (let n = 0; n < 3; n++) browser.open();
    await browser.pass(2000);
    assert.deepEqual(browser.windows.map(({ stream }) => stream.state), Array(3).fill('live'));
    browser.server.post();
    await browser.pass(10);
    assertWhole(browser);
  });
}

test('who joins late, or missed something, reads it before it goes on', async () => {
  const browser = await opened(2);
  const [, follower] = browser.windows;
  follower.stream.away();
  for (let n = 0; n < 8; n++) browser.server.post();
  follower.stream.start();
  await browser.pass(5);
  // while it reads, more happens
  for (let n = 0; n < 3; n++) browser.server.post();
  await browser.pass(100);
  assertWhole(browser);
  assert.equal(browser.server.open.size, 1);
});

test('a message that the channel loses is read over HTTP, one that comes twice counts once', async () => {
  const browser = await opened(2);
  browser.carry = () => 0;
  browser.server.post();
  await browser.pass(10);
  browser.carry = () => 2;
  browser.server.post();
  await browser.pass(3000);
  assertWhole(browser);
  assert.equal(browser.server.open.size, 1);
});

test('a tail that the channel loses is noticed by the next heartbeat or answer', async () => {
  const browser = await opened(2);
  browser.carry = () => 0;
  browser.server.post();
  await browser.pass(10);
  browser.carry = () => 1;
  await browser.pass(25_000);
  assertWhole(browser);
});

test('a connection that is lost is lost to all, and one of them has the next', async () => {
  const browser = await opened(4);
  browser.server.cut(1006);
  await browser.pass(10);
  for (const { states } of browser.windows) assert.equal(states.at(-1), 'waiting');
  browser.server.post();
  await browser.pass(5000);
  assert.equal(browser.server.open.size, 1);
  assertWhole(browser);
});

test('a server that says not to come again says so to all', async () => {
  const browser = await opened(3);
  browser.server.cut(4403);
  await browser.pass(60_000);
  assert.deepEqual(browser.windows.map(({ stream }) => stream.state), Array(3).fill('stopped'));
});

test('a server that is down for a while is found again by all, by one connection', async () => {
  const browser = await opened(4);
  browser.server.isDown = true;
  browser.server.cut(1006);
  await browser.pass(120_000);
  browser.server.isDown = false;
  browser.server.post();
  await browser.pass(60_000);
  assert.equal(browser.server.open.size, 1);
  assert.deepEqual(new Set(browser.windows.map(({ stream }) => stream.mode)), new Set(['socket']));
  assertWhole(browser);
});

test('another epoch brings everything anew to all windows', async () => {
  const browser = await opened(3);
  browser.server.renew();
  browser.server.post();
  await browser.pass(20_000);
  browser.server.post();
  await browser.pass(10);
  assert.equal(browser.server.open.size, 1);
  assert.deepEqual(browser.windows.map(({ thread }) => thread.cursor.epoch), ['e2', 'e2', 'e2']);
  assertWhole(browser);
  assert.ok(browser.windows.every(({ resets }) => resets <= 2));
});

test('a window that stands in another epoch than who leads goes alone, and reads nothing anew for it', async () => {
  const browser = await opened(1);
  const [leader] = browser.windows;
  leader.freeze();
  browser.server.epoch = 'e2';
  const other = browser.open();
  leader.isFrozen = false;
  await browser.pass(10);
  leader.thaw();
  await browser.pass(3000);
  assert.deepEqual([other.resets, other.stream.state], [0, 'live']);
  browser.server.post();
  await browser.pass(10);
  assert.deepEqual(other.has, all(browser));
});

// ---- without sockets ---------------------------------------------------------------------------------------

/** @param {Browser} browser */
const streams = ({ server }) => [...server.open].filter(({ mode }) => mode === 'events').length;

test('without sockets eight windows of one discussion have one stream', async () => {
  const browser = await opened(8, (one) => void one.server.refused.add('socket'));
  await browser.pass(10_000);
  browser.server.post();
  await browser.pass(10);
  assert.equal(streams(browser), 1);
  assertWhole(browser);
});

for (const isAtOnce of [true, false]) {
  test(`without sockets eight windows of eight discussions have two streams, ${isAtOnce ? 'opened at once' : 'one after another'}; the others ask`, async () => {
    const browser = new Browser();
    for (let n = 0; n < 8; n++) {
      browser.open({ mode: 'events', key: String(n) });
      if (!isAtOnce) await browser.pass(400);
    }
    await browser.pass(3000);
    assert.equal(streams(browser), 2);
    browser.server.post();
    await browser.pass(13_000);
    assertWhole(browser);
    assert.equal(streams(browser), 2);
    assert.deepEqual(browser.windows.map(({ stream }) => stream.state), Array(8).fill('live'));
  });
}

test('without sockets and locks, streams are as few', async () => {
  const browser = await opened(8, (one) => void (one.hasLocks = false), { mode: 'events' });
  await browser.pass(3000);
  assert.equal(streams(browser), 2);
  browser.server.post();
  await browser.pass(13_000);
  assertWhole(browser);
});

test('without sockets and channels, everybody asks', async () => {
  const browser = await opened(8, (one) => void (one.hasChannels = false), { mode: 'events' });
  browser.server.post();
  await browser.pass(13_000);
  assert.equal(streams(browser), 0);
  assertWhole(browser);
});

test('a stream that ends is the next window\'s, soon where it says so and in a minute where it crashed', async () => {
  for (const isCrash of [true, false]) {
    const browser = new Browser();
    for (let n = 0; n < 4; n++) browser.open({ mode: 'events', key: String(n) });
    await browser.pass(3000);
    const [holder] = browser.windows.filter(({ isLeading }) => isLeading);
    if (!isCrash) holder.stream.close();
    holder.crash();
    assert.equal(streams(browser), 1);
    await browser.pass(isCrash ? 62_000 : 2000);
    assert.equal(streams(browser), 2);
  }
});

test('who is hidden has no stream, and who is seen gets it', async () => {
  const browser = await opened(3, undefined, { mode: 'events' });
  const [first, second] = browser.windows;
  assert.ok(first.isLeading);
  first.show(true);
  await browser.pass(500);
  assert.deepEqual([streams(browser), first.isLeading], [1, false]);
  browser.server.post();
  await browser.pass(10);
  assertWhole(browser);
  for (const window of browser.windows) window.show(true);
  await browser.pass(500);
  assert.equal(streams(browser), 0);
  browser.server.post();
  await browser.pass(13_000);
  assertWhole(browser);
  second.show(false);
  await browser.pass(500);
  assert.deepEqual([streams(browser), second.isLeading], [1, true]);
  browser.server.post();
  await browser.pass(100);
  assertWhole(browser);
});

test('a window by itself is live no later for sharing', async () => {
  for (const mode of /** @type {const} */ (['socket', 'events'])) {
    const browser = new Browser();
    const window = browser.open({ mode });
    await browser.pass(5);
    assert.equal(window.stream.state, 'live');
    await browser.pass(300_000);
    assert.deepEqual([browser.server.opened, browser.server.asked], [1, 0]);
  }
});

test('what is closed leaves no timer, lock or channel', async () => {
  for (const mode of /** @type {const} */ (['socket', 'events', 'poll'])) {
    const browser = await opened(3, undefined, { mode });
    for (const { stream } of browser.windows) stream.close();
    await browser.pass(10);
    assert.deepEqual([browser.clock.pending, browser.server.open.size, leaders(browser)], [0, 0, []]);
    assert.deepEqual([browser.locks.held.size, browser.locks.waiting], [0, []]);
    for (const channels of browser.channels.values()) assert.equal(channels.size, 0);
  }
});
