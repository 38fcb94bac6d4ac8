/**
 * The way back to a socket. A network that lets none through stays as it is, but a deployment or a proxy that was restarted is over
 * after minutes: so while something else carries the messages, a socket is tried beside it now and then, which costs the reader
 * nothing, and taken once it has said hello.
 *
 *     events, poll ── 1 to 3 min, later up to 31 ──▶ a socket beside it ── hello ──▶ socket
 *          ▲                                              └─ closed, or silent for 10 s, or the page is hidden ──┐
 *          └─────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * @import { Backoff } from '../live/backoff.js'
 * @import { Cursor } from '../live/wire.js'
 * @import { Link, Transport } from '../live/transports.js'
 * @import { Platform } from '../page/browser.js'
 * @import { Page } from './sparing.js'
 *
 * @typedef {object} Options
 * @property {Transport} socket Of this window alone.
 * @property {() => Cursor} cursor Where the discussion stands now.
 * @property {() => void} climb A socket gets through.
 * @property {Backoff} backoff Kept over the connections that are made meanwhile.
 * @property {Page} page
 * @property {Platform} platform
 */
/** Readers who fell back together do not return together, see CLIMBING, and never sooner than this. */
const LEAST_MS = 60_000;
const OPEN_MS = 10_000;
/** Of the back-off: at most 50 requests a day where no socket ever gets through. */
export const CLIMBING = { base: 120_000, longest: 1_800_000 };

/** @param {Transport} transport @param {Options} options @returns {Transport} */
export function climbingTransport(transport, { socket, cursor, climb, backoff, page, platform }) {
  return (after, handlers) => {
    /** @type {any} */
    let timer;
    /** @type {Link | undefined} */
    let trial;
    const end = () => {
      platform.clearTimeout(timer);
      trial?.close();
      trial = undefined;
    };
    const wait = () => {
      end();
      timer = platform.setTimeout(attempt, LEAST_MS + backoff.next());
    };
    const attempt = () => {
      if (page.isHidden()) return wait();
      timer = platform.setTimeout(wait, OPEN_MS);
      trial = socket(cursor(), {
        message() {
          end();
          backoff.reset();
          climb();
        },
        closed: wait,
      });
    };
    const link = transport(after, handlers);
    wait();
    return {
      close() {
        end();
        link.close();
      },
      send: (text) => link.send?.(text),
    };
  };
}
