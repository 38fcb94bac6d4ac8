/**
 * Readers who are signed in, and those who may not write before they are. What that takes comes with the fourth
 * file, where the page has a `token-endpoint` or `sign-in`, the reader is a member or the discussion is not for everybody.
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
    const { host, settings, view } = this.#context;
    const isAsked = host.hasAttribute('sign-in') || location.hash.startsWith('#tertulia=');
    if (!settings.tokenEndpoint && !this.#member && !this.isStranger && this.#kind !== 'member' && !isAsked) return;
    view.form.element.hidden ||= this.isStranger;
    this.#load().then((member) => member.show(this.isStranger), () => {});
  }

  /** Who may not write, or not before signing in. */
  get isStranger() {
    const who = this.#context.thread.discussion.rules?.who;
    return this.isUnknown || (this.#kind !== 'staff' && (who === 'nobody' || (who === 'members' && this.#kind !== 'member')));
  }

  get #kind() {
    return this.#context.thread.viewer?.kind;
  }

  /** Who has to be known by the page. */
  get isUnknown() {
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
