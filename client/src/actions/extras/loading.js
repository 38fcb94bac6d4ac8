/**
 * A file of the client that is loaded when it is needed, and after a failure when it is needed again.
 *
 * Browsers remember that an address could not be imported, so another attempt has another.
 *
 * @template T
 * @param {string} file
 * @returns {() => Promise<T>}
 */
export function loading(file) {
  let attempts = 0;
  /** @type {Promise<T> | undefined} */
  let loaded;
  return () => {
    loaded ??= import(new URL(file + (attempts++ ? `?${attempts}` : ''), import.meta.url).href).catch((error) => {
      loaded = undefined;
      throw error;
    });
    return /** @type {Promise<T>} */ (loaded);
  };
}
