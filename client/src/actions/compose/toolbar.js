/**
 * Marks for what is selected, and how it will look: the server reads the text as it would read the comment.
 *
 * @import { Translate } from '../../page/strings.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Node as Tree } from '../../live/wire.js'
 */
import { button, h, setAttribute } from '../../page/dom.js';
import { render } from '../../reading/document.js';

/** @typedef {[before: string, after: string] | [line: string]} Mark */

/** @type {Record<'bold' | 'italic' | 'code' | 'quotation' | 'list' | 'insert_link', Mark>} */
const MARKS = {
  bold: ['**', '**'],
  italic: ['*', '*'],
  code: ['`', '`'],
  quotation: ['> '],
  list: ['- '],
  insert_link: ['[', '](https://)'],
};
/** Signs that every font has; a link has its word. @type {Partial<Record<keyof typeof MARKS, string>>} */
const SIGNS = { bold: 'B', italic: 'I', code: '<>', quotation: '”', list: '•' };

export class Toolbar {
  #text;
  #t;
  #read;
  #toggle;
  #isOpen = false;

  /** @param {Form} form @param {Translate} t @param {(text: string) => Promise<{body: Tree[]}>} read */
  constructor({ text, tools }, t, read) {
    this.#text = text;
    this.element = tools;
    this.#t = t;
    this.#read = read;
    this.#toggle = button(t('preview'), 'tool', () => (this.#isOpen ? this.close() : this.#open()), { 'aria-pressed': 'false' });
    setAttribute(tools, 'role', 'toolbar');
    setAttribute(tools, 'aria-label', t('formatting'));
    for (const name of /** @type {(keyof typeof MARKS)[]} */ (Object.keys(MARKS))) {
      const label = { 'aria-label': t(name), title: t(name), class: `tool ${name}` };
      tools.append(button(SIGNS[name] ?? t(name), 'tool', () => this.#mark(MARKS[name]), label));
    }
    tools.append(this.#toggle);
    this.preview = h('div', { part: 'preview', class: 'preview body', hidden: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#rove(0);
  }

  // ---- one Tab stop, as toolbars have -------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  #key(event) {
    const tools = [...this.element.children];
    const isRtl = getComputedStyle(this.element).direction === 'rtl';
    const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1 }[event.key];
    const index = tools.indexOf(/** @type {Element} */ (event.target));
    if (!step || index < 0) return;
    event.preventDefault();
    this.#rove((index + step + tools.length) % tools.length)?.focus();
  }

  /** @param {number} index */
  #rove(index) {
    const tools = /** @type {HTMLElement[]} */ ([...this.element.children]);
    tools.forEach((tool, at) => (tool.tabIndex = at === index ? 0 : -1));
    return tools[index];
  }

  // ---- marks --------------------------------------------------------------------------------------------

  /** @param {Mark} mark */
  #mark([before, after]) {
    const { selectionStart: start, selectionEnd: end, value } = this.#text;
    this.close();
    if (after === undefined) return this.#lines(before, value.lastIndexOf('\n', start - 1) + 1, end);
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

  async #open() {
    const { value } = this.#text;
    this.#show(true);
    if (!value.trim()) return this.preview.replaceChildren(h('p', {}, this.#t('no_text')));
    this.preview.setAttribute('aria-busy', 'true');
    try {
      this.preview.replaceChildren(...render((await this.#read(value)).body));
    } catch (error) {
      const detail = error instanceof Error && 'detail' in error && error.detail;
      this.preview.replaceChildren(h('p', {}, String(detail || this.#t('preview_error'))));
    }
    this.preview.removeAttribute('aria-busy');
  }

  close() {
    if (this.#isOpen) this.#show(false);
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    this.#isOpen = isOpen;
    setAttribute(this.#toggle, 'aria-pressed', String(isOpen));
    // as high as the field, so that the form does not jump
    if (isOpen) this.preview.style.minBlockSize = `${this.#text.offsetHeight}px`;
    this.preview.hidden = !isOpen;
    this.#text.hidden = isOpen;
    if (!isOpen) this.#text.focus();
  }
}
