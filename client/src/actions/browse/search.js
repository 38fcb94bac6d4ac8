/**
 * Goes to a comment wherever it is, and shows only what matches some words.
 *
 * @import { Actions } from '../actions.js'
 */
import { h, setText } from '../../page/dom.js';
import { find, page } from '../commands.js';
import { reveal } from './threadPages.js';
import { linkedId } from '../../page/names.js';
import { bringIntoView } from './scroll.js';
import { fold } from '../compose/text.js';

const SEARCH_MS = 300;

export class Search {
  #actions;
  #session;
  /** What a link led to. */
  #target = '';
  #wanted = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#session = actions.session;
    const { view, signal } = this.#session;
    this.field = view.search;
    this.field.addEventListener('input', () => this.#soon(), { signal });
    this.found = h('span', { class: 'found' });
    view.bar.append(this.found);
    if (this.field.value) this.#soon();
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
    addEventListener('hashchange', () => this.#goToHash(), { signal });
    this.#goToHash();
  }

  #goToHash() {
    const id = linkedId();
    if (id) this.goTo(id);
  }

  /** @param {string} id @param {boolean} [isQuiet] Only marks it. @returns {Promise<boolean>} Whether it is there. */
  async goTo(id, isQuiet = false) {
    this.#target = id;
    const element = await this.bring(id);
    // another may have been asked for meanwhile
    if (element && this.#target === id) {
      const { list, root } = this.#session;
      root.querySelector('.target')?.classList.remove('target');
      element.classList.add('target');
      if (!isQuiet) {
        list.focus(element, true);
        bringIntoView(element, 'start');
      }
    }
    return element !== undefined;
  }

  /** Shows a comment, after loading the page that holds it where it is not there. @param {string} id @returns {Promise<HTMLElement | undefined>} */
  async bring(id) {
    const { thread, list } = this.#session;
    if (!thread.comments.has(id)) await this.#load(id).catch(() => {});
    if (thread !== this.#session.thread) return this.bring(id);
    const branch = thread.comments.has(id) ? [...thread.ancestors(id).reverse(), id] : [];
    this.#show(branch);
    const element = list.cards.get(id)?.element;
    if (element) for (const one of branch) this.#actions.arrivals.drop(one);
    return element;
  }

  /** @param {string[]} ids */
  #show(ids) {
    this.#actions.preserveScroll(() => this.#session.list.show(ids));
  }

  /** @param {string} id */
  async #load(id) {
    const { thread, api } = this.#session;
    const found = await find(api, id);
    if (found.site !== api.place.site || found.key !== thread.discussion.key) return;
    const cursor = found.cursor ?? undefined;
    const ids = await reveal(thread, () => page(api, { sort: 'oldest', cursor, limit: 1 }));
    if (!thread.comments.has(id)) ids.push(...(await reveal(thread, async () => ({ comments: [...found.ancestors, found.comment] }))));
    this.#show(ids);
  }

  // ---- search -------------------------------------------------------------------------------------------

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.search(this.field.value), SEARCH_MS);
  }

  /** Whether only some comments show, so that arrivals wait. */
  get isFiltering() {
    return this.#wanted !== '';
  }

  /** After the list was made anew, or has more. */
  async again() {
    if (this.#target) await this.goTo(this.#target, true);
    if (this.#wanted) this.search(this.#wanted);
  }

  /** All pages are read for it, a hundred comments each; what matches shows meanwhile. @param {string} text @returns {Promise<number>} */
  async search(text) {
    const { t } = this.#session;
    if (fold(this.field.value.trim()) !== fold(text.trim())) this.field.value = text;
    const wanted = (this.#wanted = fold(text.trim()));
    let count = this.#filter(wanted);
    while (wanted && (await this.#loadMore()) && wanted === this.#wanted) count = this.#filter(wanted);
    if (wanted !== this.#wanted) return count;
    const sentence = !wanted ? '' : count ? t('matches', { n: count }) : t('no_match');
    setText(this.found, sentence);
    if (!wanted) this.#actions.arrivals.look();
    this.#actions.announce(sentence);
    return count;
  }

  /** @returns {Promise<boolean>} Whether there was more. */
  async #loadMore() {
    const { thread, signal } = this.#session;
    if (signal.aborted) return false;
    if (thread.nextPage) return this.#actions.pagination.load(null, true);
    const [parent] = thread.nextPages.keys();
    return parent !== undefined && this.#actions.pagination.load(parent, true);
  }

  /** A comment that does not match stays where a reply to it does. @param {string} wanted */
  #filter(wanted) {
    const { thread, list } = this.#session;
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
