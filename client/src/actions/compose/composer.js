/**
 * What a form can do. It reads what is typed and never writes into the field meanwhile: Vietnamese keyboards retype
 * letters with Backspace, and a rewritten value would break words.
 *
 * @import { Translate } from '../../page/strings.js'
 * @import { SafeStorage } from '../../page/storage.js'
 * @import { Node as Tree } from '../../live/wire.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Wrong } from './formError.js'
 *
 * @typedef {object} Options
 * @property {Translate} t
 * @property {SafeStorage} storage
 * @property {string} [id] Whom it answers.
 * @property {number} limit In code points.
 * @property {number} [nameLimit] Without it there is no name to give.
 * @property {string} [nameItem] Where the name is remembered.
 * @property {string} [draftItem] Where the draft is kept.
 * @property {string} [value]
 * @property {(draft: {body: string, name: string}) => boolean | Promise<boolean>} send Says whether the field may be emptied.
 * @property {() => void} [cancel]
 * @property {() => void} [typing]
 * @property {(text: string) => Promise<{body: Tree[]}>} preview
 */
import { fieldOf, showFormErrors } from './formError.js';
import { button, setText } from '../../page/dom.js';
import { clean, cleanName, length } from '../../page/text.js';
import { Toolbar } from './toolbar.js';

const DRAFT_MS = 600;
const COUNT_FROM = 500;

export class Composer {
  #options;
  #form;
  #toolbar;
  #isComposing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Form} form @param {Options} options */
  constructor(form, options) {
    this.#form = form;
    this.#options = options;
    this.id = options.id;
    const { t, storage, nameItem, draftItem } = options;
    if (options.cancel) form.submit.after(button(t('cancel'), 'cancel', () => this.cancel()));
    form.name.value ||= (nameItem && storage.get(nameItem)) ?? '';
    form.text.value ||= (draftItem && storage.get(draftItem)) || options.value || '';
    this.#toolbar = new Toolbar(form, t, options.preview);
    this.#listen();
    this.#count('');
    this.#grow();
  }

  #listen() {
    const { element, text } = this.#form;
    element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    text.addEventListener('compositionstart', () => (this.#isComposing = true));
    text.addEventListener('compositionend', () => (this.#isComposing = false));
    text.addEventListener('input', () => this.#typed());
    element.addEventListener('input', () => element.querySelector('.error:not([hidden])') && showFormErrors(this.#form));
    element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Gives a text back, such as one that was refused. @param {string} body @param {string} [name] @param {boolean} [isFocused] */
  fill(body, name, isFocused = true) {
    const { text, name: field } = this.#form;
    text.value = text.value ? `${text.value.trimEnd()}\n\n${body}` : body;
    if (name) field.value = name;
    this.#typed();
    if (isFocused) text.focus();
  }

  /** Shows what the server refused. @param {string} sentence @param {string} [field] */
  refuse(sentence, field) {
    showFormErrors(this.#form, [sentence, fieldOf(this.#form, field)]);
  }

  /** With its text, where the browser does not do so by itself; never less, which would make the page jump. */
  #grow() {
    const { text } = this.#form;
    const { clientHeight, offsetHeight, scrollHeight } = text;
    if (scrollHeight > clientHeight && !CSS.supports('field-sizing', 'content')) text.style.blockSize = `${scrollHeight + offsetHeight - clientHeight}px`;
  }

  cancel() {
    this.saveDraft();
    this.#options.cancel?.();
  }

  saveDraft() {
    clearTimeout(this.#timer);
    const { draftItem, nameItem, storage, t } = this.#options;
    const { value } = this.#form.text;
    if (nameItem && this.#form.name.value) storage.set(nameItem, this.#form.name.value);
    const isDraft = value !== '' && value !== this.#options.value;
    if (draftItem && storage.set(draftItem, isDraft ? value : null) && isDraft) this.#count(t('draft_saved'));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229 || this.#isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#form.element.requestSubmit();
    } else if (event.key === 'Escape' && this.#options.cancel) {
      event.stopPropagation();
      this.cancel();
    }
  }

  #typed() {
    this.#count('');
    this.#grow();
    if (this.#form.text.value.trim()) this.#options.typing?.();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.saveDraft(), DRAFT_MS);
  }

  /** @param {string} otherwise */
  #count(otherwise) {
    const left = this.#options.limit - length(this.#form.text.value);
    const { t } = this.#options;
    if (left < 0) setText(this.#form.hint, t('too_long', { n: -left }));
    else setText(this.#form.hint, left < COUNT_FROM ? t('left', { n: left }) : otherwise);
  }

  async #send() {
    const { nameItem, draftItem, storage, send } = this.#options;
    const { text } = this.#form;
    const draft = { body: clean(text.value), name: cleanName(this.#form.name.value) };
    const wrong = this.#wrong(draft);
    if (wrong[0]) {
      setText(this.#form.hint, '');
      return showFormErrors(this.#form, ...wrong);
    }
    clearTimeout(this.#timer);
    if (nameItem) storage.set(nameItem, draft.name);
    if (!(await send(draft))) return;
    if (draftItem) storage.set(draftItem, null);
    text.value = text.style.blockSize = '';
    this.#toolbar.close();
    this.#count('');
  }

  /** What keeps it from being sent. @param {{body: string, name: string}} draft */
  #wrong({ body, name }) {
    const { t, limit, nameLimit } = this.#options;
    const { name: nameField, text } = this.#form;
    /** @type {Wrong[]} */
    const wrong = [];
    if (nameLimit && !name) wrong.push([t('no_name'), nameField]);
    else if (nameLimit && length(name) > nameLimit) wrong.push([t('name_too_long', { n: length(name) - nameLimit }), nameField]);
    if (!body) wrong.push([t('no_text'), text]);
    else if (length(body) > limit) wrong.push([t('too_long', { n: length(body) - limit }), text]);
    return wrong;
  }
}
