/**
 * Readers who are signed in on the page: its server says who they are, by a token of the discussion's server.
 *
 * @import { Session } from '../session.js'
 */

/** Asks the page's server, with its cookies; it answers `{"token": "…"}`, or with a status ≥ 400 for strangers. @param {Session} session @param {string} endpoint */
export async function signIn(session, endpoint) {
  try {
    const answer = await fetch(endpoint, { credentials: 'include', signal: session.signal, headers: { Accept: 'application/json' } });
    const { token } = answer.ok ? await answer.json() : { token: null };
    if (typeof token === 'string') await session.setToken(token);
  } catch (error) {
    if (!session.signal.aborted) session.emit('error', { error: { status: 0, code: 'token_endpoint', detail: String(error) } });
  }
}
