/**
 * The file for windows that share a connection, and for networks that let no socket through. After a failure the next use
 * tries again.
 *
 * @import * as sharing from './index.js'
 *
 * @typedef {typeof sharing} SharingFile
 */
let attempts = 0;
/** @type {Promise<SharingFile> | undefined} */
let loading;

/** Browsers remember that an address could not be imported, so another attempt has another. @returns {Promise<SharingFile>} */
export function loadSharing() {
  loading ??= import(new URL(SHARING_FILE + (attempts++ ? `?${attempts}` : ''), import.meta.url).href).catch((error) => {
    loading = undefined;
    throw error;
  });
  return /** @type {Promise<SharingFile>} */ (loading);
}
