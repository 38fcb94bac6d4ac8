/**
 * localStorage that never throws: where it is blocked or full, reads find nothing and writes return false.
 *
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} StorageBackend
 */
export class SafeStorage {
  #backend;

  /** @param {() => StorageBackend | undefined} backend Called at each use: merely touching a blocked storage throws. */
  constructor(backend = () => globalThis.localStorage) {
    this.#backend = backend;
  }

  /** @param {string} name */
  get(name) {
    try {
      return this.#backend()?.getItem(name) ?? null;
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {string | null} value Null and '' remove.
   * @returns {boolean} Whether it is kept.
   */
  set(name, value) {
    try {
      const backend = this.#backend();
      if (value) backend?.setItem(name, value);
      else backend?.removeItem(name);
      return backend !== undefined;
    } catch {
      return false;
    }
  }
}
