/**
 * Marks what is selected, and shows how it will look: the server reads the text as it would read the comment.
 *
 * @import { Translate } from '../../page/strings.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Context } from '../context.js'
 * @import { Node as Tree } from '../../live/wire.js'
 */
import css from './formatting.css';
import { emphasise } from './emphasise.js';
import { h, setAttribute } from '../../page/dom.js';
import { render } from '../../reading/document.js';

/** @typedef {[before: string, after: string] | [line: string]} Mark */

/** By the name of the tool. @type {Record<string, Mark>} */
const MARKS = {
  bold: ['**', '**'],
  italic: ['*', '*'],
  code: ['`', '`'],
  quotation: ['> '],
  list: ['- '],
  insert_link: ['[', '](https://)'],
};

export class Formatting {
  #text;
  #tools;
  #t;
  #read;
  #preview = h('div', { part: 'preview', class: 'preview body', hidden: true });
  #isOpen = false;

  /** @param {Form} form @param {Translate} t @param {(text: string) => Promise<{body: Tree[]}>} read */
  constructor({ text, tools }, t, read) {
    this.#text = text;
    this.#tools = tools;
    this.#t = t;
    this.#read = read;
    const host = text.closest('tertulia-discussion') ?? /** @type {ShadowRoot} */ (text.getRootNode()).host;
    /** @type {Context['host']} */ (host).adoptStyles(css);
    text.after(this.#preview);
  }

  // ---- one Tab stop, as toolbars have -------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  key(event) {
    const tools = /** @type {HTMLElement[]} */ ([...this.#tools.children]);
    const isRtl = getComputedStyle(this.#tools).direction === 'rtl';
    const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1 }[event.key];
    const { activeElement } = /** @type {Document | ShadowRoot} */ (this.#tools.getRootNode());
    const index = tools.indexOf(/** @type {HTMLElement} */ (activeElement));
    if (!step || index < 0) return;
    event.preventDefault();
    const next = (index + step + tools.length) % tools.length;
    tools.forEach((tool, at) => (tool.tabIndex = at === next ? 0 : -1));
    tools[next].focus();
  }

  // ---- marks --------------------------------------------------------------------------------------------

  /** @param {string} name */
  mark(name) {
    const [before, after] = MARKS[name];
    const { selectionStart: start, selectionEnd: end, value } = this.#text;
    this.close();
    if (after === undefined) return this.#lines(before, value.lastIndexOf('\n', start - 1) + 1, end);
    if (before === '**' || before === '*') {
      const made = emphasise(value, start, end, before);
      this.#write(made.text, made.start, made.end);
      return this.#text.setSelectionRange(...made.selected);
    }
    const selected = value.slice(start, end);
    this.#write(before + selected + after, start, end);
    const at = start + before.length;
    // of a link the address is what has to be typed
    if (after.length > before.length && selected) this.#text.setSelectionRange(at + selected.length + 2, at + selected.length + after.length - 1);
    else this.#text.setSelectionRange(at, at + selected.length);
  }

  /** @param {string} mark @param {number} start @param {number} end */
  #lines(mark, start, end) {
    const lines = this.#text.value.slice(start, end).split('\n');
    this.#write(lines.map((line) => mark + line).join('\n'), start, end);
  }

  /** By the browser's own editing, so that undo takes it back. @param {string} text @param {number} start @param {number} end */
  #write(text, start, end) {
    this.#text.focus();
    this.#text.setSelectionRange(start, end);
    if (document.execCommand('insertText', false, text)) return;
    this.#text.setRangeText(text, start, end, 'end');
    this.#text.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }

  // ---- preview ------------------------------------------------------------------------------------------

  togglePreview() {
    if (this.#isOpen) this.close();
    else this.#open();
  }

  async #open() {
    const { value } = this.#text;
    this.#show(true);
    if (!value.trim()) return this.#preview.replaceChildren(h('p', {}, this.#t('no_text')));
    this.#preview.setAttribute('aria-busy', 'true');
    try {
      this.#preview.replaceChildren(...render((await this.#read(value)).body));
    } catch (error) {
      const detail = error instanceof Error && 'detail' in error && error.detail;
      this.#preview.replaceChildren(h('p', {}, String(detail || this.#t('preview_error'))));
    }
    this.#preview.removeAttribute('aria-busy');
  }

  close() {
    if (this.#isOpen) this.#show(false);
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    this.#isOpen = isOpen;
    setAttribute(/** @type {Element} */ (this.#tools.lastElementChild), 'aria-pressed', String(isOpen));
    // as high as the field, so that the form does not jump
    if (isOpen) this.#preview.style.minBlockSize = `${this.#text.offsetHeight}px`;
    this.#preview.hidden = !isOpen;
    this.#text.hidden = isOpen;
    if (!isOpen) this.#text.focus();
  }
}
