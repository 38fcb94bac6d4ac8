/**
 * The stream of a session, on the browser's clock and network, started and stopped as the page comes and goes.
 *
 * @import { Session } from '../session.js'
 * @import { Cursor } from './wire.js'
 */
import { browser } from '../page/browser.js';
import { Stream } from './stream.js';
import { compression, laterTransport, socketTransport } from './transports.js';

/** @param {Session} session */
export function openStream(session) {
  const { api, signal } = session;
  /** @param {string} path @param {Cursor} cursor @param {number} [compress] */
  const at = (path, { epoch, seq }, compress) => api.here(path, { epoch, after: seq, compress });
  const stream = new Stream({
    transports: {
      socket: socketTransport((cursor, compress) => at('/live', cursor, compress).replace(/^http/, 'ws'), WebSocket, compression(session.storage)),
      events: laterTransport(async () => (await session.loadActions()).events((cursor) => at('/events', cursor), EventSource)),
      poll: laterTransport(async () => (await session.loadActions()).poll({ ...browser, ask: (cursor) => api.events(cursor) })),
    },
    cursor: () => session.thread.cursor,
    deliver: (message) => session.deliver(message),
    reset: () => session.reload(),
    probe: () => api.events(session.thread.cursor).then(() => true, () => false),
    changed: (state) => session.streamChanged(state),
    platform: browser,
  });
  const visible = () => (document.hidden ? stream.hidden() : stream.visible());
  document.addEventListener('visibilitychange', visible, { signal });
  addEventListener('online', () => stream.online(), { signal });
  addEventListener('offline', () => stream.offline(), { signal });
  addEventListener('pagehide', () => stream.away(), { signal });
  addEventListener('pageshow', (event) => event.persisted && stream.visible(), { signal });
  return stream;
}
