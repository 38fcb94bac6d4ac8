/**
 * What readers ask the server for: each is one request.
 *
 * @import { Api } from '../live/api.js'
 * @import { Comment, Node, Page, Posted, Votes } from '../live/wire.js'
 */
/** @param {Api} api @param {Record<string, string | number | undefined>} query @returns {Promise<Page>} */
export function page(api, query) {
  return api.ask('GET', api.here('/comments', query));
}

/** @param {Api} api @param {string} id @returns {Promise<{comment: Comment, ancestors: Comment[], cursor: string | null, site: string, key: string}>} */
export function find(api, id) {
  return api.ask('GET', api.url(`/comments/${id}`));
}

/** @param {Api} api @param {{body: string, name: string, parent_id: string | null}} draft @param {string} key @returns {Promise<Posted>} */
export async function post(api, { body, name, parent_id }, key) {
  const { site, key: discussion } = api.place;
  const content = { site, key: discussion, body, author: { name }, ...about(parent_id) };
  const posted = await api.ask('POST', api.url('/comments'), content, { 'Idempotency-Key': key });
  if (posted.token) api.keep(posted.token);
  return posted;
}

/** @param {Api} api @param {string} id @param {string} body @returns {Promise<{comment: Comment, seq: number}>} */
export function edit(api, id, body) {
  return api.ask('PATCH', api.url(`/comments/${id}`), { body });
}

/** @param {Api} api @param {string} id @returns {Promise<{comment: Comment, seq: number}>} */
export function remove(api, id) {
  return api.ask('DELETE', api.url(`/comments/${id}`));
}

/** @param {Api} api @param {string} id @param {number} value @returns {Promise<{votes: Votes, value: number, seq: number}>} */
export function vote(api, id, value) {
  return api.ask('PUT', api.url(`/comments/${id}/vote`), { value });
}

/** @param {Api} api @param {string} id @param {string} reason @param {string} note */
export function report(api, id, reason, note) {
  return api.ask('POST', api.url(`/comments/${id}/reports`), { reason, note: note || undefined });
}

/** For requests that outlive the element and the page: what was sent is sent. The token is that of both. @param {Api} api @returns {Api} */
export function lasting(api) {
  return Object.create(api, {
    signal: { value: undefined },
    token: { get: () => api.token, set: (token) => (api.token = token) },
  });
}

/** The document tree that the text would get. @param {Api} api @param {string} body @returns {Promise<{body: Node[]}>} */
export function preview(api, body) {
  return api.ask('POST', api.url('/preview'), { body });
}

/** The page's title and address, by which the server names a discussion at its first comment. @param {string | null} parent_id */
function about(parent_id) {
  if (!globalThis.document) return { parent_id };
  // without query: a key that is an address has the page's own, and any other tells of the reader
  return { title: pageTitle() || undefined, url: location.origin + location.pathname, parent_id };
}

/** Without halves of a character, which the cut or a script may leave. */
export function pageTitle() {
  return document.title.slice(0, 300).replace(/\p{Cs}/gu, '');
}
