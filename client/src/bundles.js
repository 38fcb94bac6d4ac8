/**
 * Where the script came from, and the files beside it, which are loaded later: what a reader does beyond reading, once the
 * comments are there, so that they need not wait for it; and what says in the console why they are not.
 *
 * @import * as Actions from './actions/index.js'
 * @import * as Diagnosis from './diagnosis/index.js'
 */

/** Nothing where it was inlined, run by another script, or is a module. */
const src = /** @type {Partial<HTMLScriptElement> | null} */ (globalThis.document?.currentScript)?.src || '';
/** In a bundle or a blob it has another name, and no other files beside it. */
export const isNamed = /\/embed[.\w]*\.js/.test(src);

export const SCRIPT_ORIGIN = src ? new URL(src).origin : globalThis.location?.origin;

let failures = 0;

/**
 * One of the files, from beside the script or from the server. Browsers remember that an address could not be imported, so
 * another attempt has another, and is made at the other place.
 *
 * @param {string} file @param {string} server @returns {Promise<any>}
 */
async function load(file, server) {
  const place = isNamed && !(failures & 1) ? src : server;
  return import(new URL(file + (failures ? `?${failures}` : ''), place).href).catch((error) => {
    failures++;
    throw error;
  });
}

/** @param {string} server @returns {Promise<typeof Actions>} */
export const importActions = (server) => load(ACTIONS_FILE, server);

/** @param {string} server @returns {Promise<typeof Diagnosis>} */
export const importDiagnosis = (server) => load(DIAGNOSIS_FILE, server);
