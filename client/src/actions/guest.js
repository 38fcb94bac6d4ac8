/**
 * Readers without a token. Their first vote or comment makes a guest by its idempotency key. Until the answer has brought
 * the token, all that they do has the same key, so that one reader is one guest: also after a lost answer, and in another
 * window.
 *
 * @import { Api } from '../live/api.js'
 */
import { itemName } from '../page/names.js';
import { newKey } from '../page/browser.js';

/** @param {Api} api */
const item = ({ place }) => itemName('guest', place);

/** The key for a vote, or for a comment: of those each has its own. @param {Api} api @param {boolean} [isComment] */
export function guestKey(api, isComment = false) {
  if (api.token) return newKey();
  // something shorter is another program's
  const kept = api.storage.get(item(api)) ?? '';
  const [key, isSaid] = (kept[31] ? kept : newKey()).split(' ');
  api.storage.set(item(api), isComment || isSaid ? `${key} said` : key);
  return isComment && isSaid ? newKey() : key;
}

/** The key makes no guest: there is a token, or its comment was discarded. @param {Api} api @param {string} [key] */
export function forgetKey({ storage, place }, key = '') {
  const name = itemName('guest', place);
  if (storage.get(name)?.startsWith(key)) storage.set(name, null);
}
