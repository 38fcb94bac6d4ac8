/**
 * The letters that a search takes for others, a file of their own that the third one imports at the first search.
 *
 * @import * as folding from '../../page/folding.js'
 *
 * @typedef {typeof folding} Folding
 */
let attempts = 0;
/** @type {Promise<Folding> | undefined} */
let loading;

/** As in load.js, which is in the second file. @returns {Promise<Folding>} */
export function loadLetters() {
  loading ??= import(new URL(LETTERS_FILE + (attempts++ ? `?${attempts}` : ''), import.meta.url).href).catch((error) => {
    loading = undefined;
    throw error;
  });
  return /** @type {Promise<Folding>} */ (loading);
}
