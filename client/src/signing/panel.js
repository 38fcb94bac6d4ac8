/**
 * Where readers sign in, in place of the button.
 *
 *     ways ──▶ an address ──▶ the code in the mail ──▶ the session
 *       └────▶ a provider, in a window ──────────────────▶┘ └──▶ a name, where none is known
 *
 * @import { Place, Refusal } from './signIn.js'
 *
 * @typedef {Omit<Place, 'onRefusal'>} PanelPlace
 * @typedef {(key: string, values?: {name?: string}) => string} Say
 * @typedef {object} Around
 * @property {Say} say A sentence of the reader's language; '' where it is not there.
 * @property {() => void} show Puts the panel into the page, if it is not there.
 * @property {() => void} close What the reader's "Cancel" does.
 */
import { button, h, setText } from '../page/dom.js';
import { itemName } from '../page/names.js';
import sentences from '../page/signingSentences.js';
import { SafeStorage } from '../page/storage.js';
import css from './panel.css';
import { SignIn } from './signIn.js';

/** What is told in the panel's own words, by the code of the refusal; else in the server's. @type {Record<string, string>} */
const REFUSALS = { bad_code: 'bad_code', spent: 'code_over', unreachable: 'no_answer' };
/** Hardly less than a code is good. */
const CODE_MS = 590_000;
const ABOUT_NAME = ['name_needed', 'name_taken', 'empty', 'too_long', 'malformed'];

export class Panel {
  static css = css;

  element;
  #error = h('p', { part: 'error', role: 'alert' });
  #around;
  #signIn;
  /** What the form does now. @type {() => unknown} */
  #submit = () => {};
  #isBusy = false;
  /** Of this tab: a code that was asked for outlives a reload, while its mail is looked for. */
  #session = new SafeStorage(() => globalThis.sessionStorage);
  #item;

  /** @param {PanelPlace} place @param {Around} around */
  constructor(place, around) {
    this.#around = around;
    this.#item = itemName('code', { server: new URL(place.server).origin, site: place.site });
    this.element = h('form', { part: 'form', class: 'form sign', novalidate: true, 'aria-label': around.say('sign_in_now') });
    this.#signIn = new SignIn({
      ...place,
      onSession: (opened) => {
        this.#forget();
        place.onSession(opened);
      },
      onRefusal: (refusal, retry) => this.#refused(refusal, retry),
    });
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#run(this.#submit);
    });
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && event.keyCode !== 229 && !event.isComposing && around.close());
  }

  stop() {
    this.#signIn.stop();
  }

  /** Nothing of who was here stays. @returns {boolean} Whether the focus was within. */
  clear() {
    const root = /** @type {ShadowRoot | Document} */ (this.element.getRootNode());
    const isWithin = this.element.contains(root.activeElement);
    this.element.remove();
    this.element.replaceChildren();
    return isWithin;
  }

  /** Takes what a way back has left in the address. @returns {Promise<boolean>} Whether somebody is signed in by it. */
  take() {
    return this.#signIn.take();
  }

  /** Shows the ways there are. @param {string} [problem] The key of a sentence that is shown with them. */
  open(problem) {
    this.#over = undefined;
    return this.#run(async () => {
      const { status, answer } = await this.#signIn.options();
      if (status !== 200) return this.#refused({ ...answer, status });
      /** @type {{name: string, label: string}[]} */
      const providers = answer.providers;
      const buttons = providers.map(({ name, label }) =>
        button(this.#say('sign_in_with', { name: label }), 'provider', () => this.#signIn.open(name)),
      );
      const sent = this.#session.json(this.#item);
      const isOpen = sent?.until > Date.now() && !problem;
      if (!isOpen) this.#forget();
      if (answer.grants.includes('email') && isOpen) this.#askForCode(sent.challenge, sent.to, '');
      else if (answer.grants.includes('email')) this.#askForAddress('', buttons);
      else this.#show(buttons.length ? buttons : [h('p', {}, this.#say('no_ways'))]);
      if (problem) setText(this.#error, this.#say(problem));
    });
  }

  /** @param {string} [value] @param {HTMLElement[]} [before] */
  #askForAddress(value = '', before = []) {
    const email = h('input', { type: 'email', id: 'sign-email', part: 'input', autocomplete: 'email', dir: 'ltr', maxlength: 320, value });
    this.#show([...before, h('label', { for: email.id }, this.#say('email')), email], 'send_code', before.length ? undefined : email);
    this.#submit = async () => {
      const address = email.value.trim();
      const { status, answer } = await this.#signIn.code(address);
      if (!email.isConnected) return;
      if (status === 202) {
        const { challenge } = answer;
        // of the address what its owner knows it by
        const to = address[0] + '…' + address.slice(address.lastIndexOf('@'));
        this.#session.set(this.#item, JSON.stringify({ challenge, to, until: Date.now() + CODE_MS }));
        return this.#askForCode(challenge, address);
      }
      this.#refused({ ...answer, status });
      if (answer.code === 'invalid') setText(this.#error, this.#say('bad_address'));
      email.focus();
    };
  }

  /** @param {string} challenge @param {string} to What the code was sent to, in words. @param {string} [address] What is offered to begin anew with. */
  #askForCode(challenge, to, address = to) {
    const again = () => {
      this.#forget();
      this.#askForAddress(address);
    };
    const text = h('p', { id: 'sign-sent' }, this.#say('code_sent', { name: to }));
    const code = h('input', { id: 'sign-code', part: 'input', inputmode: 'numeric', autocomplete: 'one-time-code', dir: 'ltr', maxlength: 12, 'aria-describedby': text.id });
    const other = button(this.#say('other_address'), 'other', again);
    this.#show([text, h('label', { for: code.id }, this.#say('mail_code')), code], 'sign_in_now', code, other);
    this.#submit = () => this.#signIn.session({ grant: 'email', challenge, code: code.value });
    this.#over = again;
  }

  #forget() {
    this.#session.set(this.#item, null);
  }

  /** @param {(name: string) => Promise<void>} retry @param {string} [value] */
  #askForName(retry, value = '') {
    const text = h('p', { id: 'sign-choose' }, this.#say('choose_name'));
    const name = h('input', { id: 'sign-name', part: 'input', autocomplete: 'nickname', dir: 'auto', maxlength: 64, value, 'aria-describedby': text.id });
    this.#show([text, h('label', { for: name.id }, this.#say('name')), name], 'sign_in_now', name);
    this.#submit = () => retry(name.value);
  }

  /** Where one begins again once a code is over; without it at the ways. @type {(() => void) | undefined} */
  #over;

  /**
   * @param {HTMLElement[]} fields
   * @param {string} [submit] What the button says; without it there is none.
   * @param {HTMLElement} [first] What has the focus then.
   * @param {HTMLElement} [other] Stands beside the buttons.
   */
  #show(fields, submit, first, other) {
    setText(this.#error, '');
    const foot = h('div', { class: 'foot' }, ...(submit ? [h('button', { type: 'submit', part: 'submit' }, this.#say(submit))] : []), button(this.#say('cancel'), 'cancel', this.#around.close), ...(other ? [other] : []));
    this.element.replaceChildren(...fields, this.#error, foot);
    this.#around.show();
    (first ?? this.element.querySelector('button'))?.focus();
  }

  /** @param {Refusal} refusal @param {(name: string) => Promise<void>} [retry] */
  #refused({ code, detail, left }, retry) {
    if (code === 'spent' || left === 0) {
      if (!this.#over) return void this.open('code_over').then(() => {}, () => {});
      this.#over();
      return setText(this.#error, this.#say('code_over'));
    }
    const given = /** @type {HTMLInputElement | null} */ (this.element.querySelector('#sign-name'));
    if (retry && ABOUT_NAME.includes(code)) this.#askForName(retry, given?.value);
    else if (!this.element.firstChild) this.#show([]);
    const key = code === 'invalid' && retry ? 'bad_code' : REFUSALS[code];
    // what everybody who is new here is asked is no trouble
    if (code !== 'name_needed') setText(this.#error, key ? this.#say(key) : detail);
    this.element.querySelector('input')?.focus();
  }

  /** English comes with this file. @type {Say} */
  #say = (key, values) =>
    this.#around.say(key, values) || String(/** @type {any} */ (sentences)[key]).replace('{name}', () => values?.name ?? '');

  /** One at a time. @param {() => unknown} work */
  async #run(work) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await work();
    } finally {
      this.#isBusy = false;
    }
  }
}
