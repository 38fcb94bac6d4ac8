/**
 * The desk's WebSocket, kept as that of a discussion is. There is no other way: the desk's events come over it alone.
 *
 * @import { Stream, State } from '../live/stream.js'
 * @import { Transport } from '../live/transports.js'
 * @import { DeskLog, DeskMessage } from './log.js'
 * @import { Platform } from '../page/browser.js'
 */
import { Stream as LiveStream } from '../live/stream.js';

/** The session or the role has ended. */
const SIGN_IN_AGAIN = 4401;
/** What the stream takes for an end: it does not come back by itself. */
const ENDED = 4403;

/**
 * @typedef {object} Options
 * @property {Transport} socket
 * @property {() => DeskLog} log
 * @property {(message: DeskMessage) => void} received
 * @property {() => void} reset All has to be asked for anew.
 * @property {(state: State) => void} changed
 * @property {() => void} ended Who looks has to sign in again.
 * @property {Platform} platform
 */

/** @param {Options} options @returns {Stream} */
export function connection({ socket, log, received, reset, changed, ended, platform }) {
  const transport = signedIn(socket, ended);
  return new LiveStream({
    transports: { socket: transport, events: transport, poll: transport },
    thread: /** @type {any} */ (log),
    received: /** @type {any} */ (received),
    reset,
    probe: async () => false,
    changed,
    platform,
  });
}

/** Tells of the end of a session, after which no attempt is made. @param {Transport} open @param {() => void} ended @returns {Transport} */
function signedIn(open, ended) {
  return (cursor, { message, closed }) =>
    open(cursor, {
      message,
      closed(code, reason) {
        closed(code === SIGN_IN_AGAIN ? ENDED : code, reason);
        if (code === SIGN_IN_AGAIN) ended();
      },
    });
}
