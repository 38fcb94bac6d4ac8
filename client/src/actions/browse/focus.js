/**
 * The focus never falls to the page: from what is removed or hidden under it, it goes to the comment that this belonged
 * to, else to the one beside it or the first (WCAG 2.4.3). Whoever does it on purpose has moved the focus by then.
 *
 * @import { Context } from '../context.js'
 */
export class Focus {
  #context;
  /** @type {HTMLElement | undefined} */
  #last;
  #watch = new MutationObserver((records) => this.#look(records));

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    const { root, signal, view } = this.#context;
    root.addEventListener('focusin', ({ target }) => {
      this.#last = /** @type {HTMLElement} */ (target);
      this.#watch.observe(view.element, { subtree: true, childList: true, attributeFilter: ['hidden'] });
    }, { signal });
    // of what is removed, some browsers say so before, and some not at all
    root.addEventListener('focusout', ({ target }) => queueMicrotask(() => {
      if (this.#last === target && isThere(target)) this.stop();
    }), { signal });
  }

  stop() {
    this.#last = undefined;
    this.#watch.disconnect();
  }

  /** @param {MutationRecord[]} records */
  #look(records) {
    const last = this.#last;
    if (!last || isThere(last)) return;
    const { list, view } = this.#context;
    const { activeElement: active } = /** @type {Document | ShadowRoot} */ (view.element.getRootNode());
    this.stop();
    if (active && active !== last && active !== document.body) return;
    const gone = records.find(({ removedNodes }) => [...removedNodes].some((node) => node.contains(last)));
    const near = last.isConnected ? last : (gone?.nextSibling ?? gone?.previousSibling ?? gone?.target);
    const article = near instanceof Element && near.closest('article');
    const next = [article, ...list.element.querySelectorAll('article')].find(isThere);
    if (next) list.focus(/** @type {HTMLElement} */ (next), true);
  }
}

/** @param {any} element */
const isThere = (element) => element && element.isConnected && element.checkVisibility();
