/**
 * Shows only the comments that match some words. How they are found comes with the third file, at the first search.
 *
 * @import { Comment } from '../../live/wire.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 * @import { Arrivals } from './arrivals.js'
 * @import { Pagination } from './pagination.js'
 */
import { h, setText } from '../../page/dom.js';
import { loadExtras } from '../extras/load.js';
import { preserveScroll } from './scrollAnchor.js';
import { reveal } from './threadPages.js';

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
    view.search.addEventListener('focus', () => loadExtras().catch(() => {}), { signal, once: true });
    view.bar.append(this.#found);
    if (view.search.value) this.#soon();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.search(this.#context.view.search.value).catch(() => {}), SEARCH_MS);
  }

  /** After the list was made anew, or has more. */
  again() {
    if (this.#wanted) this.search(this.#wanted).catch(() => {});
  }

  /** A failure to load is shown beside the field, which keeps its text, and the next search tries again. @param {string} text @returns {Promise<number>} How many match. */
  async search(text) {
    const { t, view } = this.#context;
    const wanted = text.trim();
    if (view.search.value.trim() !== wanted) view.search.value = text;
    this.#want(wanted);
    const isWanted = () => wanted === this.#wanted;
    try {
      const { filterList } = await loadExtras();
      const load = (/** @type {string | null} */ parent) => this.#others.pagination.load(parent, true);
      const place = (/** @type {Comment[]} */ comments) => this.#place(comments);
      const count = await filterList(this.#context, { text: wanted, isWanted, load, place });
      if (isWanted()) this.#tell(!wanted ? '' : count ? t('matches', { n: count }) : t('no_match'));
      return count;
    } catch (error) {
      if (isWanted()) {
        this.#want('');
        this.#tell(t('extras_error'));
      }
      throw error;
    }
  }

  /** @param {Comment[]} comments */
  async #place(comments) {
    const { list, thread } = this.#context;
    const ids = await reveal(thread, async () => ({ comments }));
    preserveScroll(list, () => list.show(ids));
  }

  /** Arrivals wait while only some comments show. @param {string} wanted */
  #want(wanted) {
    this.#wanted = wanted;
    this.#others.arrivals.isFrozen = wanted !== '';
  }

  /** @param {string} sentence */
  #tell(sentence) {
    setText(this.#found, sentence);
    this.#others.announcer.announce(sentence);
    this.#others.arrivals.look();
  }
}
