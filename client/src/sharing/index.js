/**
 * A file of its own: what takes two windows, or a network that lets no socket through.
 *
 * @import { Api } from '../live/api.js'
 * @import { Stream } from '../live/stream.js'
 * @import { Mode, Transport } from '../live/transports.js'
 * @import { Cursor } from '../live/wire.js'
 * @import { Page } from './sparing.js'
 *
 * @typedef {object} Shared A discussion, as far as it is shared.
 * @property {Api} api
 * @property {{stream: Stream, transports: Record<Mode, Transport>}} live
 * @property {AbortSignal} signal
 * @property {{cursor: Cursor}} thread
 */
import { Backoff } from '../live/backoff.js';
import { browser } from '../page/browser.js';
import { itemName } from '../page/names.js';
import { CLIMBING, climbingTransport } from './climbing.js';
import { eventsTransport, pollTransport } from './fallbacks.js';
import { sharedTransport } from './sharedLink.js';
import { sparingTransport } from './sparing.js';

const OPEN = ['connecting', 'live'];

/** @type {Page} */
const page = {
  isHidden: () => document.hidden,
  onVisibility(work) {
    document.addEventListener('visibilitychange', work);
    return () => document.removeEventListener('visibilitychange', work);
  },
};

/** From now on the discussion's connections are shared with the other windows. @param {Shared} d */
export function share(d) {
  const { api, live, signal } = d;
  const { place } = api;
  const { stream, transports } = live;
  const name = itemName('live', place, place.key);
  const cursor = () => d.thread.cursor;
  const ask = (/** @type {Cursor} */ after) => api.events(after);
  const options = { name, locks: navigator.locks, openChannel: () => channel(name), ask, cursor, now: Date.now, page, platform: browser };
  const poll = pollTransport({ ...browser, ask });
  const events = sparingTransport({
    events: eventsTransport(({ epoch, seq }) => api.here('/events', { epoch, after: seq }), EventSource),
    poll,
    cursor,
    openChannel: () => channel(`tertulia-streams:${place.server}`),
    page,
    platform: browser,
  });
  const climb = () => {
    stream.mode = 'socket';
    stream.away();
    stream.start();
  };
  const climbing = { socket: transports.socket, cursor, climb, backoff: new Backoff(browser.random, CLIMBING), page, platform: browser };
  transports.socket = sharedTransport(options, transports.socket, false);
  transports.events = climbingTransport(sharedTransport(options, events, true), climbing);
  transports.poll = climbingTransport(sharedTransport(options, poll, false), climbing);
  // a frozen window would keep its lock and the others waiting
  document.addEventListener('freeze', () => stream.away(), { signal });
  document.addEventListener('resume', () => stream.visible(), { signal });
  if (stream.mode !== 'socket' || !OPEN.includes(stream.state)) return;
  stream.away();
  stream.start();
}

/** To all windows of the page's origin; none where those are kept apart. @param {string} name */
export function channel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined;
  }
}
