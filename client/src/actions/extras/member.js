/**
 * A reader whom the page's server knows: it says who that is, by a token of the discussion's server. It is asked once a page
 * load, since the reader may have left the site's account, or another one come; and again when a token is refused.
 *
 *     token ── of the same reader ──▶ kept      of another ──▶ the list is read anew, as that one      nobody ──▶ signed out
 *     no answer, 5xx ──▶ all stays as it was
 *
 * @import { Context } from '../context.js'
 */
import { button, h, setText } from '../../page/dom.js';
import { itemName } from '../../page/names.js';
import css from './member.css';

/** A token that was refused right after it was made is not asked for again and again. */
const RENEW_MS = 60_000;
/** Whoever signed out here stays out until somebody else comes, or signs in here. */
const OUT = 'out ';

/** What the elements of this page were told, by endpoint. @type {Map<string, Promise<string | null>>} */
const told = new Map();

export class Member {
  #context;
  #name = h('p', { class: 'sign-in' });
  #out;
  /** Stands above the form, or in its place. */
  #notice;
  #renewedAt = 0;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
    const { api, host, t, view } = context;
    host.adoptStyles(css);
    this.#out = button(t('sign_out'), 'sign-out', () => this.#signOut());
    this.#notice = h('div', { class: 'member' }, this.#name, this.#out);
    view.form.element.before(this.#notice);
    api.renew = async () => {
      if (Date.now() - this.#renewedAt < RENEW_MS) return false;
      this.#renewedAt = Date.now();
      return this.#follow(this.#ask());
    };
    this.show();
    this.#follow(this.#askOnce());
  }

  /** Those who are not signed in see a button in place of the form. */
  show() {
    const { thread, view, api, t } = this.#context;
    const { viewer } = thread;
    view.form.nameField.hidden = true;
    view.form.name.value = viewer?.name ?? '';
    const isClosed = thread.discussion.mode === 'closed';
    this.#notice.hidden = isClosed;
    this.#out.hidden = !viewer;
    if (viewer) setText(this.#name, t('signed_in_as', { name: viewer.name }));
    else this.#name.replaceChildren(button(t('sign_in'), 'submit', () => this.askToSignIn()));
    view.form.element.hidden = isClosed || !api.token;
  }

  askToSignIn() {
    if (!this.#context.emit('auth-required', {}, true)) return;
    this.#context.storage.set(this.#item, null);
    this.#follow(this.#ask());
  }

  /** Here alone: the page is told, so that it may end its own session. */
  async #signOut() {
    const { api, storage } = this.#context;
    storage.set(this.#item, OUT + reader(api.token));
    this.#context.emit('sign-out', {});
    await this.#context.setToken(null);
    this.#name.querySelector('button')?.focus();
  }

  /** As the page's address has it, whatever `<base>` says. */
  get #endpoint() {
    return new URL(this.#context.settings.tokenEndpoint ?? '', location.href).href;
  }

  #askOnce() {
    const asked = told.get(this.#endpoint) ?? this.#ask();
    told.set(this.#endpoint, asked);
    return asked;
  }

  /** Asks the page's server, with its cookies; it answers `{"token": "…"}`, or with a status ≥ 400 for strangers. @returns {Promise<string | null>} */
  async #ask() {
    const answer = await fetch(this.#endpoint, { credentials: 'include', headers: { Accept: 'application/json' } });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
    const { token } = answer.ok ? await answer.json() : { token: null };
    return typeof token === 'string' ? token : null;
  }

  /** @param {Promise<string | null>} answer @returns {Promise<boolean>} Whether the reader is signed in. */
  async #follow(answer) {
    const { api, signal, storage } = this.#context;
    try {
      const token = await answer;
      if (signal.aborted) return false;
      const who = reader(token);
      if (token && storage.get(this.#item) === OUT + who) return false;
      storage.set(this.#item, null);
      if (who !== reader(api.token)) await this.#context.setToken(token);
      else if (token) api.keep(token);
      return token !== null;
    } catch (error) {
      if (!signal.aborted) this.#context.emit('error', { error: { status: 0, code: 'token_endpoint', detail: String(error) } });
      return false;
    }
  }

  get #item() {
    return itemName('member', this.#context.settings.place);
  }
}

/** Whom a token names; of one that cannot be read, itself. @param {string | null} token */
function reader(token) {
  try {
    const { sub, name } = JSON.parse(atob((token ?? '').split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return `${sub} ${name}`;
  } catch {
    return token ?? '';
  }
}
