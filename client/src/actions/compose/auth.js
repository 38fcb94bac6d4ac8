/**
 * Readers who are signed in on the page. What that takes comes with the fourth file, where the page has a `token-endpoint`.
 *
 * @import { Context } from '../context.js'
 * @import { Member } from '../extras/member.js'
 */
import { loadMore } from '../extras/load.js';

export class Auth {
  #context;
  /** @type {Promise<Member> | undefined} */
  #member;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    this.viewerChanged();
  }

  /** Strangers have no form here, also before it is known who they are. */
  viewerChanged() {
    const { settings, view } = this.#context;
    if (!settings.tokenEndpoint) return;
    if (this.isStranger) view.form.element.hidden = true;
    this.#load().then((member) => member.show(), () => {});
  }

  /** Who may not write before signing in. */
  get isStranger() {
    const { settings, api } = this.#context;
    return settings.tokenEndpoint !== undefined && !api.token;
  }

  askToSignIn() {
    this.#load().then((member) => member.askToSignIn(), () => {});
  }

  /** A failure is told, and the next act tries again. */
  #load() {
    this.#member ??= loadMore().then((more) => new more.Member(this.#context)).catch((error) => {
      this.#member = undefined;
      const { notice } = this.#context.view;
      notice.textContent = this.#context.t('extras_error');
      notice.hidden = false;
      throw error;
    });
    return this.#member;
  }
}
