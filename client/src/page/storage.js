/**
 * localStorage that never throws: where it is blocked or full, reads find nothing and writes say so.
 *
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Shelf
 */
export class SafeStorage {
  #shelf;

  /** @param {() => Shelf | undefined} shelf Called at each use: merely touching a blocked storage throws. */
  constructor(shelf = () => globalThis.localStorage) {
    this.#shelf = shelf;
  }

  /** @param {string} name */
  get(name) {
    try {
      return this.#shelf()?.getItem(name) ?? null;
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
      const shelf = this.#shelf();
      if (value) shelf?.setItem(name, value);
      else shelf?.removeItem(name);
      return shelf !== undefined;
    } catch {
      return false;
    }
  }
}
