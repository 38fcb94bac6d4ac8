/**
 * Shows only the comments that match some words.
 *
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 * @import { Arrivals } from './arrivals.js'
 * @import { Pagination } from './pagination.js'
 */
import { h, setText } from '../../page/dom.js';
import { fold } from '../../page/text.js';

const SEARCH_MS = 300;

export class Search {
  #context;
  #others;
  #wanted = '';
  #found = h('span', { class: 'found' });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Context} context @param {{announcer: Announcer, arrivals: Arrivals, pagination: Pagination}} others */
  constructor(context, others) {
    this.#context = context;
    this.#others = others;
  }

  start() {
    const { view, signal } = this.#context;
    view.search.addEventListener('input', () => this.#soon(), { signal });
    view.bar.append(this.#found);
    if (view.search.value) this.#soon();
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.search(this.#context.view.search.value), SEARCH_MS);
  }

  /** After the list was made anew, or has more. */
  again() {
    if (this.#wanted) this.search(this.#wanted);
  }

  /** All pages are read for it, a hundred comments each; what matches shows meanwhile. @param {string} text @returns {Promise<number>} */
  async search(text) {
    const { t, view } = this.#context;
    const { announcer, arrivals } = this.#others;
    if (fold(view.search.value.trim()) !== fold(text.trim())) view.search.value = text;
    const wanted = (this.#wanted = fold(text.trim()));
    arrivals.isFrozen = wanted !== '';
    let count = this.#filter(wanted);
    while (wanted && (await this.#loadMore()) && wanted === this.#wanted) count = this.#filter(wanted);
    if (wanted !== this.#wanted) return count;
    const sentence = !wanted ? '' : count ? t('matches', { n: count }) : t('no_match');
    setText(this.#found, sentence);
    if (!wanted) arrivals.look();
    announcer.announce(sentence);
    return count;
  }

  /** @returns {Promise<boolean>} Whether there was more. */
  async #loadMore() {
    const { thread, signal } = this.#context;
    if (signal.aborted) return false;
    if (thread.nextPage) return this.#others.pagination.load(null, true);
    const [parent] = thread.nextPages.keys();
    return parent !== undefined && this.#others.pagination.load(parent, true);
  }

  /** A comment that does not match stays where a reply to it does. @param {string} wanted */
  #filter(wanted) {
    const { thread, list } = this.#context;
    const shown = new Set();
    let count = 0;
    for (const [id, { element }] of list.cards) {
      const comment = thread.comments.get(id);
      if (!wanted || !comment) continue;
      if (!fold(`${comment.author?.name ?? ''}\n${element.querySelector('.body')?.textContent}`).includes(wanted)) continue;
      count++;
      for (const one of [id, ...thread.ancestors(id)]) shown.add(one);
    }
    for (const [id, { element }] of list.cards) element.hidden = wanted !== '' && thread.comments.has(id) && !shown.has(id);
    list.refresh();
    return wanted ? count : list.cards.size;
  }
}
