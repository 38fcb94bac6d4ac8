/**
 * Readers who are signed in on the page: its server says who they are, by a token of the discussion's server.
 *
 * @import { Session } from '../session.js'
 */
import { itemName } from '../page/names.js';

/** A token that was refused right after it was made is not asked for again and again. */
const RENEW_MS = 60_000;

/** A token that the page's server did not give, such as that of a guest of former days, is not the reader's. @param {Session} session @param {string} endpoint */
export function keepSignedIn(session, endpoint) {
  const { api, storage } = session;
  let renewedAt = 0;
  api.renew = async () => {
    if (Date.now() - renewedAt < RENEW_MS) return false;
    renewedAt = Date.now();
    return signIn(session, endpoint);
  };
  if (!api.token || storage.get(memberItem(session)) !== mark(api.token)) signIn(session, endpoint);
}

/** Asks the page's server, with its cookies; it answers `{"token": "…"}`, or with a status ≥ 400 for strangers. @param {Session} session @param {string} endpoint @returns {Promise<boolean>} Whether the reader is signed in. */
export async function signIn(session, endpoint) {
  try {
    const answer = await fetch(endpoint, { credentials: 'include', signal: session.signal, headers: { Accept: 'application/json' } });
    const { token } = answer.ok ? await answer.json() : { token: null };
    const isMember = typeof token === 'string';
    session.storage.set(memberItem(session), isMember ? mark(token) : null);
    if (isMember || session.api.token) await session.setToken(isMember ? token : null);
    return isMember;
  } catch (error) {
    if (!session.signal.aborted) session.emit('error', { error: { status: 0, code: 'token_endpoint', detail: String(error) } });
    return false;
  }
}

/** @param {Session} session */
const memberItem = ({ settings }) => itemName('member', settings.place);

/** Enough of a token to know it again. @param {string} token */
const mark = (token) => token.slice(-16);
