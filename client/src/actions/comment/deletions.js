/**
 * Deletions, which few make: how comes with the fourth file, at the first one, or where an earlier page left some.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 * @import { Deletion } from './deletion.js'
 * @import * as more from './more.js'
 *
 * @typedef {typeof more} More
 */
import { loadMore } from '../extras/load.js';
import { itemName } from '../../page/names.js';

export class Deletions {
  #context;
  #announcer;
  /** @type {Deletion | undefined} */
  #deletion;

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
  }

  start() {
    const { settings: { place }, storage } = this.#context;
    if (storage.get(itemName('deletions', place, place.key))) loadMore().then((more) => this.#begin(more), () => {});
  }

  stop() {
    this.#deletion?.stop();
  }

  listReplaced() {
    this.#deletion?.listReplaced();
  }

  /** @param {More} more @param {Card} card */
  remove(more, card) {
    this.#begin(more).remove(card);
  }

  /** @param {More} more */
  #begin({ Deletion }) {
    if (this.#deletion) return this.#deletion;
    this.#deletion = new Deletion(this.#context, this.#announcer);
    this.#deletion.start();
    return this.#deletion;
  }
}
