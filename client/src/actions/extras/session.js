/**
 * A token that the site's own server signed is exchanged once for a session of the discussion's server, which is what is kept:
 * for all elements and windows, with whom it is of, so that the same reader is not signed in again at each page.
 *
 *     of the site ── POST /sessions ──▶ ts_…      any other ──▶ itself
 *
 * A guest's token that was kept so far goes along: what the guest said is the member's then, and the session takes its place.
 *
 * @import { Api } from '../../live/api.js'
 * @import { Context } from '../context.js'
 */
import { forgetKey } from '../guest.js';
import { itemName } from '../../page/names.js';

/** What the item begins with that says whom the session is of; or who signed out here, and stays so. */
export const IN = 'in ';
export const OUT = 'out ';
/** As this server signs its own. */
const SELF = 'tertulia';

/** What is under way or done, by token: one may be good once. @type {Map<string, Promise<{token: string}>>} */
const exchanged = new Map();

/** @param {Api} api */
export const memberItem = ({ place }) => itemName('member', place);

/** The token to use in place of this one. @param {Api} api @param {string} token @returns {Promise<string>} */
export async function sessionFor(api, token) {
  const { iss = SELF } = claims(token);
  if (iss === SELF) return token;
  const { storage, tokenName } = api;
  const whom = IN + reader(token);
  const kept = storage.get(tokenName);
  if (kept && isSession(kept) && storage.get(memberItem(api)) === whom) return kept;
  const opening = exchanged.get(token) ?? open(api, token);
  exchanged.set(token, opening);
  const session = await opening.catch((error) => {
    exchanged.delete(token);
    throw error;
  });
  storage.set(memberItem(api), whom);
  forgetKey(api);
  return session.token;
}

/** Whoever holds another token, maybe one that is over, asks as nobody. @param {Api} api @param {string} token */
function open(api, token) {
  /** @type {Api} */
  const nobody = Object.create(api, {
    storage: { value: { get: () => null, set: () => false } },
    token: { value: null, writable: true },
    renew: { value: undefined },
  });
  const kept = api.storage.get(api.tokenName);
  const guest = kept && claims(kept).iss === SELF ? kept : undefined;
  return nobody.ask('POST', api.url('/sessions'), { grant: 'jwt', site: api.place.site, token, guest });
}

/** Ends the session on the server; without an answer it ends by itself within a day. @param {Api} api */
export function endSession(api) {
  if (isSession(api.token)) api.ask('DELETE', api.url('/sessions/current')).catch(() => {});
}

/** A signed token that the page gave, and that was used as it is so far. @param {Context} context @param {string} token */
export async function exchange(context, token) {
  const { api, loader, signal, storage } = context;
  const stored = storage.get(api.tokenName);
  try {
    const session = await sessionFor(api, token);
    if (signal.aborted) return;
    api.keep(session);
    if (stored !== session && (stored || session !== token)) await loader.load();
  } catch (error) {
    tell(context, error);
  }
}

/** The page's developers find the code in docs/signing-in.md. @param {Context} context @param {any} error */
export function tell(context, { status = 0, code = 'token_endpoint', detail, message }) {
  context.emit('error', { error: { status, code: code || 'token_endpoint', detail: detail || message } });
}

/** Whom the kept token is of. @param {Api} api */
export function known(api) {
  const item = api.storage.get(memberItem(api)) ?? '';
  return isSession(api.token) && item.startsWith(IN) ? item.slice(IN.length) : reader(api.token);
}

/** Whom a token names; of one that cannot be read, itself. @param {string | null} token */
export function reader(token) {
  const { sub, name } = claims(token);
  return sub ? `${sub} ${name}` : (token ?? '');
}

/** @param {string | null} token */
const isSession = (token) => !!token?.startsWith('ts_');

/** Of a JSON Web Token. @param {string | null} token @returns {{iss?: string, sub?: string, name?: string}} */
function claims(token) {
  try {
    const text = atob((token ?? '').split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
  } catch {
    return {};
  }
}
