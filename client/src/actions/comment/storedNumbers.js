/**
 * A number for each of some comments, such as a vote that could not be sent: kept over reloads. Other windows keep theirs
 * in the same item.
 *
 * @import { SafeStorage } from '../../page/storage.js'
 */
export class StoredNumbers {
  #storage;
  #name;

  /** @param {SafeStorage} storage @param {string} name */
  constructor(storage, name) {
    this.#storage = storage;
    this.#name = name;
  }

  /** By comment. @returns {Record<string, number>} */
  get all() {
    const found = Object.entries(this.#storage.json(this.#name) ?? {});
    return Object.fromEntries(found.filter(([, value]) => typeof value === 'number'));
  }

  /** @param {string} id @param {number} [value] Without it, it is forgotten. @returns {boolean} Whether that is kept. */
  set(id, value) {
    const text = JSON.stringify({ ...this.all, [id]: value });
    return this.#storage.set(this.#name, text === '{}' ? null : text);
  }
}
