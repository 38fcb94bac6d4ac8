/**
 * Long texts fold at some fifteen lines: after them stands a button that shows all. What is linked to, searched for or
 * edited is whole, and so is what is printed. All of it stays there for screen readers and for the browser's own search.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Context } from '../context.js'
 */
import { button, setText } from '../../page/dom.js';
import { scrollBy, isInView, viewport } from '../browse/scroll.js';
import { preserveScroll } from '../browse/scrollAnchor.js';

/** With fewer a press would show less than it takes to read the button. The fold itself, of 15, is in the styles. */
const LINES = 20;
/** Texts shorter than both need not be measured, which takes a layout. */
const LETTERS = 500;
const BLOCKS = 8;

export class LongTexts {
  #context;
  /** Texts of which it is known whether they are long, with what they said. @type {WeakMap<Element, Card['comment']['body']>} */
  #measured = new WeakMap();

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    const { root, signal } = this.#context;
    root.addEventListener('click', ({ target }) => {
      const pressed = /** @type {Element} */ (target).closest('.whole');
      if (pressed) this.#toggle(pressed);
    }, { signal });
    // the browser scrolls what is folded to what it found there, to what is selected, and to a link that has the focus
    root.addEventListener('scroll', ({ target }) => {
      const text = /** @type {Element} */ (target);
      if (!text.classList?.contains('short')) return;
      const seen = text.scrollTop;
      text.scrollTop = 0;
      this.#fold(text, false);
      scrollBy(text, seen);
    }, { signal, capture: true });
    this.refreshed();
  }

  listReplaced() {
    this.refreshed();
  }

  refreshed() {
    preserveScroll(this.#context.list, () => this.#showAll());
  }

  #showAll() {
    const { host, list } = this.#context;
    const shown = viewport(list.element);
    for (const { comment: { body }, element } of list.cards.values()) {
      const text = /** @type {Element} */ (element.querySelector('.body'));
      // what a link has led to stays whole
      if (element.matches('.target') && text.matches('.short')) this.#fold(text, false);
      if (!body || this.#measured.get(text) === body) continue;
      const isLong = mayBeLong(text) && lines(text) > LINES;
      // nothing folds under the eyes of who reads
      if (isLong && host.hasMoved && isInView(text.getBoundingClientRect(), shown)) continue;
      this.#measured.set(text, body);
      if (isLong && !element.matches('.target')) this.#fold(text, true);
      else this.#release(text);
    }
  }

  /** @param {Element} text @param {boolean} isFolded */
  #fold(text, isFolded) {
    const { t } = this.#context;
    const article = /** @type {Element} */ (text.closest('article'));
    const author = article.querySelector('.author')?.textContent ?? '';
    const known = text.nextElementSibling?.matches('.whole') ? text.nextElementSibling : undefined;
    const whole = known ?? button('', 'whole', undefined, { 'aria-controls': text.id });
    if (!known) text.after(whole);
    const label = t(isFolded ? 'show_all' : 'show_less');
    setText(whole, label);
    whole.ariaLabel = `${label}: ${author}`;
    whole.ariaExpanded = String(!isFolded);
    text.classList.toggle('short', isFolded);
  }

  /** @param {Element} text */
  #release(text) {
    text.classList.remove('short');
    if (text.nextElementSibling?.matches('.whole')) text.nextElementSibling.remove();
  }

  /** The text stays where it is; when it folds, the button stays under the pointer. @param {Element} whole */
  #toggle(whole) {
    const text = /** @type {Element} */ (whole.previousElementSibling);
    const isFolded = text.matches('.short');
    const staying = isFolded ? /** @type {Element} */ (text.parentElement) : whole;
    const before = staying.getBoundingClientRect().top;
    this.#fold(text, !isFolded);
    scrollBy(text, staying.getBoundingClientRect().top - before);
  }
}

/** @param {Element} text */
const mayBeLong = (text) => text.childElementCount > BLOCKS || (text.textContent ?? '').length > LETTERS || !!text.querySelector('pre, li, br');

/** How many lines of its letters it is high. @param {Element} text */
const lines = (text) => text.scrollHeight / parseFloat(getComputedStyle(text).lineHeight);
