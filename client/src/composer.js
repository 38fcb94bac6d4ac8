/**
 * The form that comments, replies and edits are written in. It reads what is typed and never writes into the
 * field meanwhile: Vietnamese keyboards retype letters with Backspace, and a rewritten value would break words.
 *
 * @import { Speak, Key } from './strings.js'
 * @import { SafeStorage } from './storage.js'
 *
 * @typedef {object} Options
 * @property {Speak} say
 * @property {SafeStorage} storage
 * @property {string} id Sets the fields of one form apart from those of another.
 * @property {Key} submit The label of the button.
 * @property {number} limit In code points.
 * @property {number} [nameLimit] Without it there is no name to give.
 * @property {string} [nameItem] Where the name is remembered.
 * @property {string} [draftItem] Where the draft is kept.
 * @property {string} [value]
 * @property {string} [note] A sentence beside the button.
 * @property {(said: {body: string, name: string}) => void | Promise<void>} send
 * @property {() => void} [cancel]
 * @property {() => void} [typing]
 */
import { button, h, setAttribute, setText } from './dom.js';
import { clean, cleanName, length } from './text.js';

const DRAFT_MS = 600;
const COUNT_FROM = 500;

export class Composer {
  #options;
  #isComposing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #hint = h('span', { part: 'hint' });
  #error = h('p', { part: 'error', role: 'alert', hidden: true });

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    const { say, id, storage } = options;
    this.name = h('input', { id: `name-${id}`, part: 'input', name: 'name', autocomplete: 'nickname', dir: 'auto' });
    this.text = h('textarea', { id: `body-${id}`, part: 'textarea', name: 'body', rows: 4, dir: 'auto', 'aria-describedby': `hint-${id}` });
    this.#hint.id = `hint-${id}`;
    this.#error.id = `error-${id}`;
    this.submit = h('button', { type: 'submit', part: 'submit' }, say(options.submit));
    const foot = h('div', { class: 'foot' }, this.submit, this.#hint);
    if (options.cancel) this.submit.after(button(say('cancel'), 'cancel', () => this.cancel()));
    this.form = h('form', { part: 'form', novalidate: true });
    if (options.nameLimit) this.form.append(h('label', { for: this.name.id }, say('name')), this.name);
    this.form.append(h('label', { for: this.text.id }, say('text')), this.text, this.#error, foot);
    this.name.value = (options.nameItem && storage.get(options.nameItem)) ?? '';
    this.text.value = options.value ?? (options.draftItem && storage.get(options.draftItem)) ?? '';
    setText(this.#hint, options.note ?? '');
    this.#listen();
  }

  #listen() {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.text.addEventListener('compositionstart', () => (this.#isComposing = true));
    this.text.addEventListener('compositionend', () => (this.#isComposing = false));
    this.text.addEventListener('input', () => this.#typed());
    this.form.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Gives a text back, such as one that was refused. @param {string} body @param {string} [name] */
  fill(body, name) {
    this.text.value = this.text.value ? `${this.text.value}\n\n${body}` : body;
    if (name) this.name.value = name;
    this.#typed();
    this.text.focus();
  }

  /** @param {string} note */
  setNote(note) {
    this.#options.note = note;
    this.#count(note);
  }

  cancel() {
    this.saveDraft();
    this.#options.cancel?.();
  }

  saveDraft() {
    clearTimeout(this.#timer);
    const { draftItem, storage, say } = this.#options;
    if (draftItem && storage.set(draftItem, this.text.value) && this.text.value) this.#count(say('draft'));
  }

  /** @param {string} sentence @param {HTMLElement} [field] The one it is about. */
  showError(sentence, field) {
    setText(this.#error, sentence);
    this.#error.hidden = !sentence;
    for (const one of [this.name, this.text]) {
      setAttribute(one, 'aria-invalid', one === field ? 'true' : undefined);
      setAttribute(one, 'aria-errormessage', one === field ? this.#error.id : undefined);
    }
    field?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229 || this.#isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === 'Escape' && this.#options.cancel) {
      event.stopPropagation();
      this.cancel();
    }
  }

  #typed() {
    if (!this.#error.hidden) this.showError('');
    this.#count(this.#options.note ?? '');
    if (this.text.value.trim()) this.#options.typing?.();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.saveDraft(), DRAFT_MS);
  }

  /** @param {string} otherwise */
  #count(otherwise) {
    const left = this.#options.limit - length(this.text.value);
    const { say } = this.#options;
    if (left < 0) setText(this.#hint, say('tooLong', { n: -left }));
    else setText(this.#hint, left < COUNT_FROM ? say('left', { n: left }) : otherwise);
  }

  #send() {
    const { say, limit, nameLimit, nameItem, draftItem, storage, send } = this.#options;
    const body = clean(this.text.value);
    const name = cleanName(this.name.value);
    if (nameLimit && !name) return this.showError(say('emptyName'), this.name);
    if (nameLimit && length(name) > nameLimit) return this.showError(say('tooLong', { n: length(name) - nameLimit }), this.name);
    if (!body) return this.showError(say('emptyText'), this.text);
    if (length(body) > limit) return this.showError(say('tooLong', { n: length(body) - limit }), this.text);
    clearTimeout(this.#timer);
    if (nameItem) storage.set(nameItem, name);
    if (draftItem) storage.set(draftItem, null);
    if (draftItem) this.text.value = '';
    this.#count(this.#options.note ?? '');
    send({ body, name });
  }
}
