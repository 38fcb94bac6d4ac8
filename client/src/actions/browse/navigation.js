/**
 * Goes to a comment, wherever in the discussion it is.
 *
 * @import { Context } from '../context.js'
 * @import { Arrivals } from './arrivals.js'
 */
import { find, page } from '../commands.js';
import { linkedId } from '../../page/names.js';
import { bringIntoView } from './scroll.js';
import { preserveScroll } from './scrollAnchor.js';
import { reveal } from './threadPages.js';

export class Navigation {
  #context;
  #arrivals;
  /** What a link led to. */
  #target = '';
  /** Whether the reader comes back to a place, which a link that led here at first does not change. */
  isBack = false;

  /** @param {Context} context @param {Arrivals} arrivals */
  constructor(context, arrivals) {
    this.#context = context;
    this.#arrivals = arrivals;
  }

  start() {
    const { root, signal } = this.#context;
    addEventListener('hashchange', () => this.#goToHash(), { signal });
    root.addEventListener('click', (event) => this.#follow(/** @type {PointerEvent} */ (event)), { signal });
    this.#goToHash();
  }

  /** After the list was made anew. */
  async again() {
    if (this.#target) await this.goTo(this.#target, true);
  }

  /** A link to a comment stays on this page, whatever `<base>` says, and whatever address a router has given the page since. @param {PointerEvent} event */
  #follow(event) {
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest('.meta, .answers a'));
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    location.hash = link.hash;
  }

  #goToHash() {
    const id = linkedId();
    if (id) this.goTo(id, this.isBack);
    this.isBack = false;
  }

  /** @param {string} id @param {boolean} [isQuiet] Only marks it. @returns {Promise<boolean>} Whether it is there. */
  async goTo(id, isQuiet = false) {
    this.#target = id;
    const element = await this.bring(id);
    // another may have been asked for meanwhile
    if (element && this.#target === id) {
      const { list, root } = this.#context;
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
    const { thread, list } = this.#context;
    if (!thread.comments.has(id)) await this.#load(id).catch(() => {});
    if (thread !== this.#context.thread) return this.bring(id);
    const branch = thread.comments.has(id) ? [...thread.ancestors(id).reverse(), id] : [];
    this.#show(branch);
    this.#arrivals.unfold([id]);
    const element = list.cards.get(id)?.element;
    if (element) for (const one of branch) this.#arrivals.drop(one);
    return element;
  }

  /** @param {string[]} ids */
  #show(ids) {
    const { list } = this.#context;
    preserveScroll(list, () => list.show(ids));
  }

  /** @param {string} id */
  async #load(id) {
    const { thread, api } = this.#context;
    const found = await find(api, id);
    if (found.site !== api.place.site || found.key !== thread.discussion.key) return;
    const cursor = found.cursor ?? undefined;
    const ids = await reveal(thread, () => page(api, { sort: 'oldest', cursor, limit: 1 }));
    if (!thread.comments.has(id)) ids.push(...(await reveal(thread, async () => ({ comments: [...found.ancestors, found.comment] }))));
    this.#show(ids);
  }
}
