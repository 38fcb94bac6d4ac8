/**
 * Where the script came from, and the second file beside it: what a reader does beyond reading. It is loaded once the
 * comments are there, so that they need not wait for it.
 *
 * @import * as Actions from './actions/index.js'
 */

const script = /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript);

export const SCRIPT_ORIGIN = script?.src ? new URL(script.src).origin : globalThis.location?.origin;

let attempts = 0;

/** Browsers remember that an address could not be imported, so another attempt has another. @returns {Promise<typeof Actions>} */
export function importActions() {
  return import(new URL(ACTIONS_FILE + (attempts++ ? `?${attempts}` : ''), script?.src || SCRIPT_ORIGIN).href);
}
