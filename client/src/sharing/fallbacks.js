/**
 * Where no socket gets through: the same messages as Server-Sent Events or by asking again and again.
 *
 * @import { Cursor, Message } from '../live/wire.js'
 * @import { Transport } from '../live/transports.js'
 *
 * @typedef {(cursor: Cursor) => Promise<{epoch: string, seq: number, events: any[], more: boolean}>} Ask For a page of the log.
 *
 * @typedef {object} Poller
 * @property {Ask} ask
 * @property {(work: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random
 */

const POLL_MS = 10_000;

/**
 * The browser's own reconnection is not used: it would not know the cursor of what was applied.
 *
 * @param {(cursor: Cursor) => string} url
 * @param {typeof EventSource} Source
 * @returns {Transport}
 */
export function eventsTransport(url, Source) {
  return (cursor, handlers) => {
    const source = new Source(url(cursor));
    const close = () => {
      source.onmessage = source.onerror = null;
      source.close();
    };
    source.onmessage = ({ data }) => handlers.message(JSON.parse(data));
    source.onerror = () => {
      close();
      handlers.closed(0, '');
    };
    return { close };
  };
}

/** A page of the log after the cursor, as messages of a stream. @param {Awaited<ReturnType<Ask>>} page @param {Cursor} after @returns {Message[]} */
export function messagesOf({ epoch, seq, events }, after) {
  const isKnown = epoch === after.epoch && seq >= after.seq;
  return [{ type: isKnown ? 'polled' : 'reset', epoch, seq }, ...(isKnown && events.length ? [{ type: 'events', events }] : [])];
}

/**
 * Asks every 10 s ± 20 %, at once while there is more, and delivers what it finds as stream messages.
 *
 * @param {Poller} poller
 * @returns {Transport}
 */
export function pollTransport({ ask, setTimeout, clearTimeout, random }) {
  return (cursor, handlers) => {
    let isOpen = true;
    /** @type {any} */
    let timer;
    const { epoch } = cursor;
    let { seq } = cursor;
    const next = async () => {
      try {
        const found = await ask({ epoch, seq });
        if (!isOpen) return;
        for (const message of messagesOf(found, { epoch, seq })) if (isOpen) handlers.message(message);
        seq = found.events.at(-1)?.seq ?? seq;
        if (isOpen) timer = setTimeout(next, found.more ? 0 : POLL_MS * (0.8 + 0.4 * random()));
      } catch {
        if (isOpen) handlers.closed(0, '');
        isOpen = false;
      }
    };
    timer = setTimeout(next, 0);
    return {
      close() {
        isOpen = false;
        clearTimeout(timer);
      },
    };
  };
}
