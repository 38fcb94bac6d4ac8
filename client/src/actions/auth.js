/**
 * Readers who are signed in on the page: its server says who they are, by a token of the discussion's server.
 *
 * @import { Context } from './context.js'
 */
import { button, h, setText } from '../page/dom.js';
import { itemName } from '../page/names.js';

/** A token that was refused right after it was made is not asked for again and again. */
const RENEW_MS = 60_000;

export class Auth {
  #context;
  /** Stands above the form, or in its place. */
  #notice = h('p', { class: 'sign-in', hidden: true });
  #renewedAt = 0;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    const { api, settings, storage, view } = this.#context;
    view.form.element.before(this.#notice);
    if (!settings.tokenEndpoint) return;
    api.renew = async () => {
      if (Date.now() - this.#renewedAt < RENEW_MS) return false;
      this.#renewedAt = Date.now();
      return this.#signIn();
    };
    this.viewerChanged();
    // a token that the page's server did not give, such as that of a guest of former days, is not the reader's
    if (!api.token || storage.get(this.#memberItem) !== mark(api.token)) this.#signIn();
  }

  /** Where the page signs readers in, those who are not signed in see a button in place of the form. */
  viewerChanged() {
    const { settings, thread, view, api, t } = this.#context;
    if (!settings.tokenEndpoint) return;
    const { viewer } = thread;
    view.form.nameField.hidden = true;
    view.form.name.value = viewer?.name ?? '';
    const isClosed = thread.discussion.mode === 'closed';
    this.#notice.hidden = isClosed;
    if (viewer) setText(this.#notice, t('signed_in_as', { name: viewer.name }));
    else this.#notice.replaceChildren(button(t('sign_in'), 'submit', () => this.askToSignIn()));
    view.form.element.hidden = isClosed || !api.token;
  }

  askToSignIn() {
    if (this.#context.emit('auth-required', {}, true)) this.#signIn();
  }

  /** Asks the page's server, with its cookies; it answers `{"token": "…"}`, or with a status ≥ 400 for strangers. @returns {Promise<boolean>} Whether the reader is signed in. */
  async #signIn() {
    const { api, settings, signal, storage } = this.#context;
    try {
      const answer = await fetch(new URL(settings.tokenEndpoint ?? '', location.href), { credentials: 'include', signal, headers: { Accept: 'application/json' } });
      const { token } = answer.ok ? await answer.json() : { token: null };
      const isMember = typeof token === 'string';
      storage.set(this.#memberItem, isMember ? mark(token) : null);
      if (isMember || api.token) await this.#context.setToken(isMember ? token : null);
      return isMember;
    } catch (error) {
      if (!signal.aborted) this.#context.emit('error', { error: { status: 0, code: 'token_endpoint', detail: String(error) } });
      return false;
    }
  }

  get #memberItem() {
    return itemName('member', this.#context.settings.place);
  }
}

/** Enough of a token to know it again. @param {string} token */
const mark = (token) => token.slice(-16);
