/**
 * Ways to receive the same messages. Each is opened with handlers and answers with how to close it.
 *
 * @import { SafeStorage } from '../page/storage.js'
 * @import { Cursor, Message } from './wire.js'
 *
 * @typedef {object} Handlers
 * @property {(message: Message) => void} message
 * @property {(code: number, reason: string) => void} closed Called once, and never after `close`.
 *
 * @typedef {{close: () => void, send?: (text: string) => void}} Link
 * @typedef {(cursor: Cursor, handlers: Handlers) => Link} Transport
 * @typedef {'socket' | 'events' | 'poll'} Mode Best first.
 */

const WEEK_MS = 7 * 24 * 3_600_000;

/**
 * Whether to take messages compressed. Once they turned out to be unreadable they are avoided for a week.
 *
 * @param {SafeStorage} storage
 */
export function compression(storage) {
  const name = 'tertulia:plain';
  let until = Number(storage.get(name));
  return {
    /** The value of the parameter in the address: 0, or none. */
    asked: () => (Date.now() < until ? 0 : undefined),
    avoid() {
      until = Date.now() + WEEK_MS;
      storage.set(name, String(until));
    },
  };
}

/**
 * An opened socket has an error only when the browser could not read a frame, though some browsers report a network
 * that fails likewise. So it counts only before a second message: after hello, which is too short to be compressed.
 *
 * @param {(cursor: Cursor, compress: number | undefined) => string} url
 * @param {typeof WebSocket} Socket
 * @param {ReturnType<typeof compression>} compression
 * @returns {Transport}
 */
export function socketTransport(url, Socket, { asked, avoid }) {
  return (cursor, handlers) => {
    const socket = new Socket(url(cursor, asked()));
    let messages = 0;
    const closed = (/** @type {Pick<CloseEvent, 'code' | 'reason'>} */ { code, reason }) => {
      if (code === 1002 || code === 1007) avoid();
      handlers.closed(code, reason);
    };
    socket.onopen = () => {
      socket.onerror = () => messages < 2 && avoid();
    };
    socket.onmessage = ({ data }) => {
      messages++;
      try {
        data = JSON.parse(data);
      } catch {
        return closed({ code: 1007, reason: '' });
      }
      handlers.message(data);
    };
    socket.onclose = closed;
    return {
      close() {
        socket.onmessage = socket.onclose = null;
        socket.close(1000);
      },
      send(text) {
        if (socket.readyState === Socket.OPEN) socket.send(text);
      },
    };
  };
}

/**
 * One that is loaded when it is needed.
 *
 * @param {() => Promise<Transport>} load
 * @returns {Transport}
 */
export function laterTransport(load) {
  return (cursor, handlers) => {
    let isOpen = true;
    /** @type {Link | undefined} */
    let link;
    load().then(
      (open) => {
        if (isOpen) link = open(cursor, handlers);
      },
      () => isOpen && handlers.closed(0, ''),
    );
    return {
      close() {
        isOpen = false;
        link?.close();
      },
    };
  };
}
