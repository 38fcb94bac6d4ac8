/**
 * What a console shows of its queue, and what it does not show yet.
 *
 *     event ──▶ of a card that is shown: changed · left · own · known
 *          └──▶ of another comment:      fresh · unsure, where a filter has to be asked for · gone
 *
 * @import { DeskItem } from './log.js'
 * @typedef {'changed' | 'left' | 'own' | 'known' | 'fresh' | 'unsure' | 'gone'} News
 */
export class Queue {
  /** Cards that are shown, with the version that they show. @type {Map<string, number>} */
  listed = new Map();
  /** Comments that wait behind the button. @type {Set<string>} */
  fresh = new Set();
  /** The version up to which this console has decided by itself. @type {Map<string, number>} */
  #own = new Map();

  /** @param {string} name @param {boolean} isFiltered Whether it shows one discussion or one author alone. */
  constructor(name, isFiltered) {
    this.name = name;
    this.isFiltered = isFiltered;
  }

  /** @param {string} id @param {number} version */
  show(id, version) {
    this.listed.set(id, version);
    this.fresh.delete(id);
  }

  /** @param {string} id */
  leave(id) {
    this.listed.delete(id);
    this.fresh.delete(id);
  }

  /** This console decides, or takes a decision back: the event of it is no news. @param {string} id @param {number} version As it was. */
  decide(id, version) {
    this.#own.set(id, version + 1);
  }

  /** It was refused. @param {string} id */
  refused(id) {
    this.#own.delete(id);
  }

  /** @param {DeskItem} item @returns {News} */
  note(item) {
    const { comment_id: id, version } = item;
    const shown = this.listed.get(id);
    if (version <= (this.#own.get(id) ?? 0)) return shown === undefined ? 'own' : 'known';
    const isHere = item.queue === this.name;
    if (shown !== undefined) return this.#noteShown(shown, version, isHere);
    if (isHere) return this.isFiltered ? 'unsure' : this.add(id);
    return this.fresh.delete(id) ? 'gone' : 'known';
  }

  /** @param {number} shown @param {number} version @param {boolean} isHere @returns {News} */
  #noteShown(shown, version, isHere) {
    if (version < shown) return 'known';
    if (this.name === 'all') return version > shown ? 'changed' : 'known';
    return isHere ? 'changed' : 'left';
  }

  /** Whether it is shown, waits behind the button, or is older than a decision made here. @param {string} id @param {number} version */
  knows(id, version) {
    return this.listed.has(id) || this.fresh.has(id) || version < (this.#own.get(id) ?? 0);
  }

  /** It waits behind the button from now on. @param {string} id @returns {'fresh' | 'known'} */
  add(id) {
    if (this.listed.has(id) || this.fresh.has(id)) return 'known';
    this.fresh.add(id);
    return 'fresh';
  }
}
