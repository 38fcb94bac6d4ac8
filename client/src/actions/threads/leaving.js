/**
 * What is remembered when the reader leaves: for the next visit the newest comment that has been here to see, for a
 * reload or the way back the place where reading ended.
 *
 * @import { Context } from '../context.js'
 * @import { Arrivals } from '../browse/arrivals.js'
 * @import { Place } from '../browse/savedPlace.js'
 */
import { commentId, itemName } from '../../page/names.js';
import { placeItem } from '../browse/savedPlace.js';
import { isInView, viewport } from '../browse/scroll.js';
import { boxesBelow } from '../browse/scrollAnchor.js';
import { SafeStorage } from '../../page/storage.js';

/** How many comments are remembered, should the first be gone. */
const REMEMBERED = 3;

export class Leaving {
  #context;
  #arrivals;
  #item;
  #session = new SafeStorage(() => globalThis.sessionStorage);
  /** When the last visit ended, by the newest comment of that time, and how many there were. @type {string | null} */
  before;

  /** @param {Context} context @param {Arrivals} arrivals */
  constructor(context, arrivals) {
    this.#context = context;
    this.#arrivals = arrivals;
    const { place } = context.settings;
    this.#item = itemName('seen', place, place.key);
    this.before = context.storage.get(this.#item);
  }

  start() {
    const { signal } = this.#context;
    addEventListener('pagehide', () => this.stop(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.stop(), { signal });
  }

  stop() {
    const { thread, storage } = this.#context;
    const { waiting } = this.#arrivals;
    let newest = this.before?.split(' ')[0] ?? new Date(0).toISOString();
    for (const { id, created_at } of thread.comments.values()) {
      if (created_at > newest && !waiting.has(id)) newest = created_at;
    }
    storage.set(this.#item, `${newest} ${thread.discussion.comment_count - waiting.size}`);
    this.#session.set(placeItem(this.#context), JSON.stringify(this.#here() ?? null));
  }

  /** Nothing where no part of the discussion is in view: that place the browser finds by itself. @returns {Place | undefined} */
  #here() {
    const { list, thread, view } = this.#context;
    if (!isInView(view.element.getBoundingClientRect(), viewport(view.element))) return undefined;
    const seen = boxesBelow(list, REMEMBERED).map((box) => /** @type {[string, number]} */ ([
      commentId(/** @type {Element} */ (box.parentElement)), box.getBoundingClientRect().top,
    ]));
    return seen.length ? { sort: thread.sort, size: list.roots.length, seen } : undefined;
  }
}
