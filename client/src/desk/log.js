/**
 * Where this console stands in the log of its site's desk: each event is taken once, in order, and after none is missing.
 *
 * @import { Cursor } from '../live/wire.js'
 * @import { DeliveryResult } from '../live/thread.js'
 *
 * @typedef {object} DeskItem What an event says of a comment: where it waits now, null where it waits no more.
 * @property {string} comment_id
 * @property {number} version
 * @property {string | null} queue
 * @property {string} state
 * @property {string | null} by Who decided just now.
 * @property {string | null} decision
 *
 * @typedef {{comment_id: string, name: string}} Looker
 *
 * @typedef {object} DeskMessage
 * @property {string} type
 * @property {string} [epoch]
 * @property {number} [seq]
 * @property {{seq: number, item: DeskItem}[]} [events]
 * @property {Looker[]} [people]
 */

export class DeskLog {
  #took;

  /** @param {Cursor} cursor @param {(item: DeskItem) => void} took */
  constructor(cursor, took) {
    this.cursor = cursor;
    this.#took = took;
  }

  /** @param {DeskMessage} message @returns {DeliveryResult} */
  receive({ type, epoch, seq = 0, events = [] }) {
    if (type === 'reset' || (type === 'hello' && epoch !== this.cursor.epoch)) return 'reset';
    for (const event of events) {
      if (event.seq <= this.cursor.seq) continue;
      if (event.seq > this.cursor.seq + 1) return 'gap';
      this.cursor = { ...this.cursor, seq: event.seq };
      this.#took(event.item);
    }
    return type === 'heartbeat' && seq > this.cursor.seq ? 'gap' : 'ok';
  }
}
