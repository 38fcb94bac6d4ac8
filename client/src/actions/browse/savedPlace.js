/**
 * Where reading ended, for a page that was reloaded or that the way led back to. It is written by threads/leaving.js.
 *
 * @import { Context } from '../context.js'
 *
 * @typedef {{sort: string, size: number, seen: [string, number][]}} Place The order, how many top-level comments there
 *   were, and the first comments in view, each with its height in pixels below the window's upper edge.
 */
import { itemName } from '../../page/names.js';
import { SafeStorage } from '../../page/storage.js';

/** What is kept for the visit of a tab. */
export const session = new SafeStorage(() => globalThis.sessionStorage);

/** @param {Context} context */
export const placeItem = ({ settings }) => itemName('place', settings.place, settings.place.key);

/** Discussions that this page has shown: a place is that of the page as it was left, not of another visit by a link. */
const begun = new Set();

/** @param {Context} context @returns {Place | undefined} */
export function savedPlace(context) {
  const item = placeItem(context);
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
  const isBack = /reload|back/.test(visit?.type) && visit.name.split('#')[0] === location.href.split('#')[0];
  const place = isBack && !begun.has(item) ? session.json(item) : undefined;
  begun.add(item);
  return place?.seen ? place : undefined;
}
