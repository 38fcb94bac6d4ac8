/**
 * The third file: what most readers never use. It is loaded at the first use, and after a failure at the next one.
 *
 * @import * as extras from './index.js'
 *
 * @typedef {typeof extras} Extras
 */
let attempts = 0;
/** @type {Promise<Extras> | undefined} */
let loading;

/** Browsers remember that an address could not be imported, so another attempt has another. @returns {Promise<Extras>} */
export function loadExtras() {
  loading ??= import(new URL(EXTRAS_FILE + (attempts++ ? `?${attempts}` : ''), import.meta.url).href).catch((error) => {
    loading = undefined;
    throw error;
  });
  return /** @type {Promise<Extras>} */ (loading);
}
