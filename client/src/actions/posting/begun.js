/**
 * What was begun in this browser: posts and deletions, by key or id. Each also stands in an item of its own, until it is
 * over, and windows of one discussion learn from there that another was first. But that it is missing there may also mean
 * that somebody emptied the storage; then it is missing here, too, where no ending takes anything away.
 *
 * @import { SafeStorage } from '../../page/storage.js'
 */
const ITEM = 'tertulia:begun';
/** A window that has had something at hand for longer does it, whatever others did. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** @param {SafeStorage} storage @returns {Record<string, number>} When each was begun. */
function recent(storage) {
  const found = Object.entries(storage.json(ITEM) ?? {});
  return Object.fromEntries(found.filter(([, at]) => typeof at === 'number' && Date.now() - at < KEPT_MS));
}

/** @param {SafeStorage} storage @param {string} id */
export function begin(storage, id) {
  storage.set(ITEM, JSON.stringify({ ...recent(storage), [id]: Date.now() }));
}

/** Whether what stands in the storage no more was ended by a window of this browser. @param {SafeStorage} storage @param {string} id */
export function wasEnded(storage, id) {
  return id in recent(storage);
}
