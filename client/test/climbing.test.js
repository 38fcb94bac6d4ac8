/** The way back to a socket: when it is tried, how it ends, and what it costs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../src/live/backoff.js';
import { Stream } from '../src/live/stream.js';
import { CLIMBING, climbingTransport } from '../src/sharing/climbing.js';
import { FakeClock, platform, settled } from './helpers.js';

const HELLO = { type: 'hello', epoch: 'e1', seq: 5, heartbeat: 1e9 };
const MINUTE = 60_000;

/** A stream on a network that lets sockets through when it is told to. */
class Rig {
  clock = new FakeClock();
  isOpen = false;
  isSilent = false;
  isHidden = false;
  /** How many of each kind are open, and were. @type {Record<string, number>} */
  open = { socket: 0, events: 0 };
  /** @type {Record<string, number>} */
  made = { socket: 0, events: 0 };

  constructor() {
    const given = platform(this.clock);
    const socket = this.#transport('socket', () => this.isOpen);
    const events = climbingTransport(this.#transport('events', () => true), {
      socket,
      cursor: () => ({ epoch: 'e1', seq: 5 }),
      climb: () => {
        this.stream.mode = 'socket';
        this.stream.away();
        this.stream.start();
      },
      backoff: new Backoff(given.random, CLIMBING),
      page: { isHidden: () => this.isHidden, onVisibility: () => () => {} },
      platform: given,
    });
    this.stream = new Stream({
      transports: { socket, events, poll: events },
      thread: () => ({ cursor: { epoch: 'e1', seq: 5 }, receive: () => 'ok' }),
      received: () => {},
      reset: () => {},
      probe: async () => true,
      changed: () => {},
      platform: given,
    });
    this.stream.start();
  }

  /** @param {'socket' | 'events'} kind @param {() => boolean} works @returns {import('../src/live/transports.js').Transport} */
  #transport(kind, works) {
    return (_, handlers) => {
      this.open[kind]++;
      this.made[kind]++;
      let isOpen = true;
      const close = () => {
        if (isOpen) this.open[kind]--;
        isOpen = false;
      };
      const answer = () => {
        if (!isOpen || (this.isSilent && kind === 'socket')) return;
        if (works()) return handlers.message(HELLO);
        close();
        handlers.closed(1006, '');
      };
      this.clock.setTimeout(answer, 10);
      return { close };
    };
  }

  /** Two upgrades failed during a deployment, and events get through. */
  async fallen() {
    await this.clock.pass(30_000);
    assert.deepEqual([this.stream.mode, this.stream.state], ['events', 'live']);
    return this;
  }
}

test('after a deployment the socket is back within minutes, and nothing else is left open', async () => {
  const rig = await new Rig().fallen();
  rig.isOpen = true;
  await rig.clock.pass(3 * MINUTE + 200);
  assert.deepEqual([rig.stream.mode, rig.stream.state, rig.open], ['socket', 'live', { socket: 1, events: 0 }]);
  const { made } = rig;
  await rig.clock.pass(600 * MINUTE);
  assert.deepEqual(rig.made, made, 'who has a socket tries no other');
});

test('a network that lets none through is asked seldom, and the reader stays live', async () => {
  const rig = await new Rig().fallen();
  const before = rig.made.socket;
  for (let minute = 0; minute < 1440; minute++) {
    await rig.clock.pass(MINUTE);
    assert.deepEqual([rig.stream.mode, rig.stream.state], ['events', 'live']);
  }
  assert.ok(rig.made.socket - before > 20 && rig.made.socket - before <= 100, String(rig.made.socket - before));
  assert.deepEqual([rig.made.events, rig.open.events], [1, 1]);
});

test('a socket that says nothing is closed after 10 s, and tried again later', async () => {
  const rig = await new Rig().fallen();
  rig.isOpen = rig.isSilent = true;
  const { socket } = rig.made;
  while (rig.made.socket === socket) await rig.clock.pass(1000);
  await rig.clock.pass(9000);
  assert.equal(rig.open.socket, 1);
  await rig.clock.pass(2000);
  assert.deepEqual([rig.open.socket, rig.stream.state], [0, 'live']);
  rig.isSilent = false;
  await rig.clock.pass(6 * MINUTE);
  assert.equal(rig.stream.mode, 'socket');
});

test('a hidden page tries nothing, and what is closed leaves no timer and no socket', async () => {
  const rig = await new Rig().fallen();
  const { socket } = rig.made;
  rig.isHidden = true;
  await rig.clock.pass(100 * MINUTE);
  assert.equal(rig.made.socket, socket);
  rig.isHidden = false;
  rig.isSilent = true;
  while (!rig.open.socket) await rig.clock.pass(MINUTE / 60);
  rig.stream.close();
  await settled();
  assert.deepEqual(rig.open, { socket: 0, events: 0 });
  await rig.clock.pass(100 * MINUTE);
  assert.equal(rig.clock.pending, 0);
});
