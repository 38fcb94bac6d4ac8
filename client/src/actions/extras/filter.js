/**
 * Hides the comments that do not match some words, and loads those that are not there yet: all of them, or, in a long
 * discussion of a server that keeps an index, those that the index finds.
 *
 * @import { ApiError } from '../../live/api.js'
 * @import { Comment } from '../../live/wire.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {object} Query
 * @property {string} text What to look for, without regard to accents and case; '' shows all.
 * @property {() => boolean} isWanted Whether it is still what the reader looks for.
 * @property {(parent: string | null) => Promise<boolean>} load Brings the next page; whether it came.
 * @property {(comments: Comment[]) => Promise<void>} place Shows these where they belong, each after those it stands below.
 */
import { loadLetters } from './loadLetters.js';

/** So many comments that are not there are read sooner than the index is asked. */
const LONG = 500;
/** What the index finds is a few hundred comments; of a word that nearly all have, all pages are read. */
const INDEX_PAGES = 4;
/** Servers that keep none. @type {Set<string>} */
const withoutIndex = new Set();

/** What matches shows while further ones are looked for. @param {Context} d @param {Query} query @returns {Promise<number>} How many match. */
export async function filterList(d, query) {
  const { fold } = await loadLetters();
  const wanted = fold(query.text);
  /** @type {Set<string>} */
  const found = new Set();
  const hide = () => hideOthers(d, wanted, found, fold);
  let count = hide();
  if (wanted && d.thread.unloaded > LONG && (await askIndex(d, query, found))) return query.isWanted() ? hide() : count;
  while (wanted && (await loadNext(d, query.load)) && query.isWanted()) count = hide();
  return count;
}

/**
 * Shows what the server finds, whose words may stand apart.
 *
 * @param {Context} context @param {Query} query @param {Set<string>} found Gets their ids.
 * @returns {Promise<boolean>} Whether that is all there is to be found.
 */
async function askIndex({ api }, { text, isWanted, place }, found) {
  if (withoutIndex.has(api.place.server)) return false;
  let cursor;
  try {
    for (let page = 0; page < INDEX_PAGES; page++) {
      const answer = await api.ask('GET', api.here('/search', { q: text, sort: 'newest', limit: 50, cursor }));
      if (!isWanted()) return true;
      const comments = answer.results.map((/** @type {{comment: Comment}} */ { comment }) => comment);
      await place([...answer.ancestors, ...comments].sort((a, b) => (a.created_at < b.created_at ? -1 : 1)));
      for (const { id } of comments) found.add(id);
      cursor = answer.next ?? undefined;
      if (!cursor) return true;
    }
  } catch (error) {
    if (/** @type {ApiError} */ (error).status === 404) withoutIndex.add(api.place.server);
  }
  return false;
}

/** @param {Context} context @param {Query['load']} load @returns {Promise<boolean>} Whether there was more. */
async function loadNext({ thread, signal }, load) {
  if (signal.aborted) return false;
  if (thread.nextPage) return load(null);
  const [parent] = thread.nextPages.keys();
  return parent !== undefined && load(parent);
}

/** A comment that does not match stays where a reply to it does. @param {Context} context @param {string} wanted @param {Set<string>} found @param {(text: string) => string} fold */
function hideOthers({ thread, list }, wanted, found, fold) {
  const shown = new Set();
  let count = 0;
  for (const [id, { element }] of list.cards) {
    const comment = thread.comments.get(id);
    if (!wanted || !comment) continue;
    const text = () => `${comment.author?.name ?? ''}\n${element.querySelector('.body')?.textContent}`;
    if (!found.has(id) && !fold(text()).includes(wanted)) continue;
    count++;
    for (const one of [id, ...thread.ancestors(id)]) shown.add(one);
  }
  for (const [id, { element }] of list.cards) element.hidden = wanted !== '' && thread.comments.has(id) && !shown.has(id);
  list.element.classList.toggle('filtered', wanted !== '');
  list.refresh();
  return wanted ? count : list.cards.size;
}
