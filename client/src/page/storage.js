/**
 * localStorage that never throws, in whatever form it comes: missing, null, blocked, full, or one that takes a value and
 * does not keep it. What it does not keep is remembered until the page is left, for all who ask here; so is that
 * something was removed which it would not give up.
 *
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} StorageBackend
 */
export class SafeStorage {
  #backend;
  /** What the backend does not keep; null was removed. @type {Map<string, string | null>} */
  #unkept = new Map();

  /** @param {() => StorageBackend | null | undefined} backend Called at each use: merely touching a blocked storage throws. */
  constructor(backend = () => globalThis.localStorage) {
    this.#backend = backend;
  }

  /** @param {string} name @returns {string | null} */
  get(name) {
    const unkept = this.#unkept.get(name);
    return unkept === undefined ? this.#stored(name) : unkept;
  }

  /** An item as the JSON that it holds; null where it is none. @param {string} name @returns {any} */
  json(name) {
    try {
      return JSON.parse(this.get(name) ?? '');
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {string | null} value Null and '' remove.
   * @returns {boolean} Whether it is kept: what was written is what is read.
   */
  set(name, value) {
    value ||= null;
    this.#unkept.set(name, value);
    try {
      const backend = /** @type {StorageBackend} */ (this.#backend());
      if (value) backend.setItem(name, value);
      else backend.removeItem(name);
      return (backend.getItem(name) ?? null) === value && this.#unkept.delete(name);
    } catch {
      return false;
    }
  }

  /** @param {string} name @returns {string | null} */
  #stored(name) {
    try {
      const found = this.#backend()?.getItem(name);
      return typeof found === 'string' ? found : null;
    } catch {
      return null;
    }
  }
}

/** The page's: what it does not keep, elements of one page still tell each other. */
export const storage = new SafeStorage();
