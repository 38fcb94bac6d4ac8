/**
 * What most readers never use, in two files: the third for texts, the fourth for what is done to a comment or a reader. Each
 * is loaded at the first use, and after a failure at the next one.
 *
 * @import * as extras from './index.js'
 *
 * @typedef {typeof extras} Extras
 */

/** Browsers remember that an address could not be imported, so another attempt has another. @template T @param {string} file @returns {() => Promise<T>} */
function loader(file) {
  let attempts = 0;
  /** @type {Promise<T> | undefined} */
  let loading;
  return () => (loading ??= import(new URL(file + (attempts++ ? `?${attempts}` : ''), import.meta.url).href).catch((error) => {
    loading = undefined;
    throw error;
  }));
}

export const loadExtras = /** @type {() => Promise<Extras>} */ (loader(EXTRAS_FILE));
/** What is in it has rooms above this one, so whoever loads it knows of what kind that is. @type {() => Promise<any>} */
export const loadMore = loader(MORE_FILE);
