/**
 * Who the reader is, above the form or in its place, and the way in for who is nobody yet.
 *
 * A reader whom the page's server knows: it says who that is, by a token. It is asked once a page
 * load, since the reader may have left the site's account, or another one come; and again when a token is refused. Without such a
 * server who it was has to sign in again.
 *
 *     token ── of the same reader ──▶ kept      of another ──▶ the list is read anew, as that one      nobody ──▶ signed out
 *     no answer, 5xx ──▶ all stays as it was
 *
 * @import { Context } from '../context.js'
 */
import { button, h, setText } from '../../page/dom.js';
import sentences from '../../page/reportingSentences.js';
import { loadSigning } from './loadSigning.js';
import css from './member.css';
import { endSession, known, memberItem, OUT, reader, sessionFor, tell } from './session.js';

/** A token that was refused right after it was made is not asked for again and again. */
const RENEW_MS = 60_000;

/** What the elements of this page were told, by endpoint. @type {Map<string, Promise<string | null>>} */
const told = new Map();

/** @import { Panel, PanelPlace } from '../../signing/panel.js' */

export class Member {
  #context;
  /** @type {Panel | undefined} */
  #panel;
  #name = h('p', { class: 'sign-in' });
  #out;
  /** Stands above the form, or in its place. */
  #notice;
  #renewedAt = 0;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
    const { api, host, view } = context;
    host.adoptStyles(css);
    this.#out = button(this.#say('sign_out'), 'sign-out', () => this.#signOut());
    this.#notice = h('div', { class: 'member' }, this.#name, this.#out);
    view.form.element.before(this.#notice);
    if (location.hash.startsWith('#tertulia=')) this.#load().then((panel) => panel.take(), () => {});
    if (context.settings.tokenEndpoint === undefined) {
      api.renew = () => this.#mayGoOn();
      return;
    }
    api.renew = async () => {
      if (Date.now() - this.#renewedAt < RENEW_MS) return false;
      this.#renewedAt = Date.now();
      return this.#follow(this.#ask());
    };
    this.#follow(this.#askOnce());
  }

  /** A session that the server ended: what the member was sending waits until they are signed in again. Guests go on as new ones. */
  async #mayGoOn() {
    if (this.#context.thread.viewer?.kind !== 'member') return true;
    await this.#context.setToken(null);
    return false;
  }

  /** Those who are not signed in see a button in place of the form. @param {boolean} isStranger Who may not write. */
  show(isStranger) {
    const { host, settings, thread, view, t } = this.#context;
    const { viewer, discussion } = thread;
    const isClosed = discussion.mode === 'closed';
    const isKnown = settings.tokenEndpoint !== undefined || viewer?.kind === 'member';
    if (isKnown || view.form.nameField.hidden) {
      view.form.nameField.hidden = isKnown;
      view.form.name.value = viewer?.name ?? '';
    }
    const isOffered = host.hasAttribute('sign-in') && !isClosed;
    if (isKnown && viewer && this.#panel?.clear()) view.form.text.focus();
    this.#notice.hidden = isClosed || this.#isSigningIn || !(isKnown || isStranger || isOffered);
    this.#out.hidden = !viewer || !isKnown;
    if (isStranger && this.#isForNobody) setText(this.#name, t('closed'));
    else if (viewer && isKnown) setText(this.#name, this.#say('signed_in_as', { name: viewer.name }));
    else this.#name.replaceChildren(button(this.#say(isStranger ? 'sign_in' : 'sign_in_now'), isStranger ? 'submit' : 'sign-out', () => this.askToSignIn()));
    view.form.element.hidden = isClosed || isStranger;
  }

  /** Whether signing in would not help. */
  get #isForNobody() {
    return this.#context.thread.discussion.rules?.who === 'nobody';
  }

  askToSignIn() {
    const { api, settings, storage } = this.#context;
    if (this.#isForNobody) return this.#notice.scrollIntoView({ block: 'nearest' });
    if (!this.#context.emit('auth-required', {}, true)) return;
    if (settings.tokenEndpoint === undefined) return this.#openPanel();
    storage.set(memberItem(api), null);
    this.#follow(this.#ask());
  }

  async #openPanel() {
    try {
      const panel = await this.#load();
      if (this.#isSigningIn) panel.element.scrollIntoView({ block: 'nearest' });
      else await panel.open();
    } catch {
      const { t, view } = this.#context;
      setText(view.notice, t('extras_error'));
      view.notice.hidden = false;
    }
  }

  /** In the reader's language; English comes with this file. @param {string} key @param {{name?: string}} [values] */
  #say = (key, values = {}) =>
    this.#context.t(/** @type {any} */ (key), values) || String(/** @type {any} */ (sentences)[key] ?? '').replace('{name}', () => values.name ?? '');

  /** Not seen before it is opened. */
  async #load() {
    const { api, host, loader, settings, signal, storage } = this.#context;
    const { Panel } = await loadSigning();
    host.adoptStyles(Panel.css);
    const { server, site } = api.place;
    /** @type {PanelPlace} */
    const place = {
      server, site, storage, item: api.tokenName, lang: settings.language,
      onSession: (opened) => (opened ? this.#context.setToken(opened.token) : loader.load()),
    };
    if (!this.#panel) {
      const panel = (this.#panel = new Panel(place, { say: this.#say, show: () => this.#show(panel), close: () => this.#cancel() }));
      signal.addEventListener('abort', () => panel.stop());
    }
    return this.#panel;
  }

  /** @param {Panel} panel */
  #show(panel) {
    if (this.#isSigningIn) return;
    this.#notice.after(panel.element);
    this.#notice.hidden = true;
  }

  #cancel() {
    this.#panel?.clear();
    this.#notice.hidden = false;
    this.#name.querySelector('button')?.focus();
  }

  get #isSigningIn() {
    return Boolean(this.#panel?.element.isConnected);
  }

  /** Here alone, and in other windows: the page is told, so that it may end its own session. Whoever signed out stays so until somebody else comes. */
  async #signOut() {
    const { api, storage } = this.#context;
    storage.set(memberItem(api), OUT + known(api));
    endSession(api);
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
      const who = reader(token);
      if (signal.aborted || (token && storage.get(memberItem(api)) === OUT + who)) return false;
      const before = known(api);
      const own = token && (await sessionFor(api, token));
      if (signal.aborted) return false;
      if (own === token) storage.set(memberItem(api), null);
      if (who !== before) await this.#context.setToken(own);
      else if (own) api.keep(own);
      return own !== null;
    } catch (error) {
      if (!signal.aborted) tell(this.#context, error);
      return false;
    }
  }
}
