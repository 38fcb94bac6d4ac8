/**
 * Hides the comments that do not match some words, and loads all that are not there yet.
 *
 * @import { Context } from '../context.js'
 *
 * @typedef {object} Query
 * @property {string} text What to look for, without regard to accents and case; '' shows all.
 * @property {() => boolean} isWanted Whether it is still what the reader looks for.
 * @property {(parent: string | null) => Promise<boolean>} load Brings the next page; whether it came.
 */
import { loadLetters } from './loadLetters.js';

/** Reads all pages for it, a hundred comments each; what matches shows meanwhile. @param {Context} d @param {Query} query @returns {Promise<number>} How many match. */
export async function filterList(d, { text, isWanted, load }) {
  const { fold } = await loadLetters();
  const wanted = fold(text);
  let count = hideOthers(d, wanted, fold);
  while (wanted && (await loadNext(d, load)) && isWanted()) count = hideOthers(d, wanted, fold);
  return count;
}

/** @param {Context} context @param {Query['load']} load @returns {Promise<boolean>} Whether there was more. */
async function loadNext({ thread, signal }, load) {
  if (signal.aborted) return false;
  if (thread.nextPage) return load(null);
  const [parent] = thread.nextPages.keys();
  return parent !== undefined && load(parent);
}

/** A comment that does not match stays where a reply to it does. @param {Context} context @param {string} wanted @param {(text: string) => string} fold */
function hideOthers({ thread, list }, wanted, fold) {
  const shown = new Set();
  let count = 0;
  for (const [id, { element }] of list.cards) {
    const comment = thread.comments.get(id);
    if (!wanted || !comment) continue;
    if (!fold(`${comment.author?.name ?? ''}\n${element.querySelector('.body')?.textContent}`).includes(wanted)) continue;
    count++;
    for (const one of [id, ...thread.ancestors(id)]) shown.add(one);
  }
  for (const [id, { element }] of list.cards) element.hidden = wanted !== '' && thread.comments.has(id) && !shown.has(id);
  list.element.classList.toggle('filtered', wanted !== '');
  list.refresh();
  return wanted ? count : list.cards.size;
}
