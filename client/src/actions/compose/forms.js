/**
 * The forms in which the reader writes: one for the discussion, and one reply, edit or report at a time.
 *
 * @import { PendingPost } from '../posting/postQueue.js'
 * @import { Card } from '../../reading/card.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Actions } from '../actions.js'
 */
import * as commands from '../commands.js';
import { showFormError } from './formError.js';
import { Composer } from './composer.js';
import { button, h, setText } from '../../page/dom.js';
import { commentId, itemName } from '../../page/names.js';
import { bringIntoView } from '../browse/scroll.js';
import { keepSignedIn, signIn } from '../auth.js';
import { toSource } from './source.js';

const WRITING_MS = 3000;
const STILL_WRITING_MS = 6000;

export class Forms {
  #actions;
  #session;
  #wroteAt = 0;
  #composer;
  /** The form that is open in a card. @type {{card: Card, element: HTMLElement, composer?: Composer} | null} */
  #open = null;
  #signIn = h('p', { class: 'sign-in', hidden: true });

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#session = actions.session;
    const { view, signal, settings } = this.#session;
    const { place } = settings;
    this.nameItem = itemName('name', place);
    this.draftItem = `${itemName('draft', place, place.key)}:`;
    view.form.element.onsubmit = null;
    this.#composer = new Composer(view.form, this.#options(null));
    view.form.element.before(this.#signIn);
    addEventListener('pagehide', () => this.#saveDrafts(), { signal });
    this.viewerChanged();
    if (settings.tokenEndpoint) keepSignedIn(this.#session, settings.tokenEndpoint);
  }

  close() {
    this.#saveDrafts();
  }

  #saveDrafts() {
    this.#composer.saveDraft();
    this.#open?.composer?.saveDraft();
  }

  get isTyping() {
    return Date.now() - this.#wroteAt < STILL_WRITING_MS;
  }

  /** Where the page signs readers in, who is not signed in sees a button in place of the form. */
  viewerChanged() {
    const { settings, thread, view, api } = this.#session;
    if (!settings.tokenEndpoint) return;
    const { t } = this.#actions;
    const { viewer } = thread;
    view.form.nameField.hidden = true;
    view.form.name.value = viewer?.name ?? '';
    const isClosed = thread.discussion.mode === 'closed';
    this.#signIn.hidden = isClosed;
    if (viewer) setText(this.#signIn, t('signed_in_as', { name: viewer.name }));
    else this.#signIn.replaceChildren(button(t('sign_in'), 'submit', () => this.#askToSignIn()));
    view.form.element.hidden = isClosed || !api.token;
  }

  #askToSignIn() {
    const { settings, emit } = this.#session;
    if (emit.call(this.#session, 'auth-required', {}, true)) signIn(this.#session, settings.tokenEndpoint ?? '');
  }

  /** @param {Card | null} card Whose comment is answered. */
  #options(card) {
    const { storage, thread, settings } = this.#session;
    const parent_id = card?.comment.id ?? null;
    return {
      t: this.#actions.t,
      storage,
      limit: thread.limits.text_length,
      nameLimit: settings.tokenEndpoint ? undefined : thread.limits.name_length,
      nameItem: settings.tokenEndpoint ? undefined : this.nameItem,
      draftItem: this.draftItem + (parent_id ?? ''),
      typing: () => this.#typing(),
      preview: (/** @type {string} */ text) => commands.preview(this.#session.api, text),
      send: (/** @type {{body: string, name: string}} */ draft) => {
        const isSent = this.#actions.postQueueView.add({ ...draft, parent_id });
        if (isSent && card) this.closeForm();
        return isSent;
      },
    };
  }

  #typing() {
    if (Date.now() - this.#wroteAt < WRITING_MS) return;
    this.#wroteAt = Date.now();
    this.#session.stream.send({ type: 'writing' });
  }

  // ---- forms in cards -----------------------------------------------------------------------------------

  /** @param {Card} card @param {HTMLElement} element @param {Composer} [composer] */
  openForm(card, element, composer) {
    this.closeForm();
    card.form.replaceChildren(element);
    this.#open = { card, element, composer };
    bringIntoView(element, 'nearest');
  }

  /** @param {HTMLElement} [element] Only this form, if it is still open. @returns {Card | undefined} Whose form it was. */
  closeForm(element) {
    const open = this.#open;
    if (element && open?.element !== element) return undefined;
    this.#open = null;
    open?.composer?.saveDraft();
    open?.card.form.replaceChildren();
    return open?.card;
  }

  /** The list is made anew: the open form moves on to the card that takes the place of its own. @param {() => void} replace */
  keepForm(replace) {
    const open = this.#open;
    const { root } = this.#session;
    const active = (root instanceof ShadowRoot ? root : document).activeElement;
    const focused = active?.closest('article');
    replace();
    const { list } = this.#session;
    const card = open && list.cards.get(open.card.comment.id);
    if (open && card) {
      card.form.append(...open.card.form.childNodes);
      open.card = card;
    } else this.closeForm();
    if (active instanceof HTMLElement && card?.form.contains(active)) active.focus({ preventScroll: true });
    else if (focused) list.cards.get(commentId(focused))?.element.focus({ preventScroll: true });
  }

  /** @param {Card} card @param {boolean} isQuoting */
  reply(card, isQuoting = false) {
    const quoted = isQuoting ? quote(card) : '';
    if (this.#open?.composer?.id === card.comment.id) return void (quoted && this.#open.composer.fill(quoted));
    const { settings, api, thread, view } = this.#session;
    if (settings.tokenEndpoint && !api.token) return this.#askToSignIn();
    const cancel = () => this.closeForm()?.reply.focus();
    const form = view.newForm(card.comment.id, 'send_reply', !settings.tokenEndpoint);
    if (settings.tokenEndpoint) form.name.value = thread.viewer?.name ?? '';
    const composer = new Composer(form, { ...this.#options(card), id: card.comment.id, cancel });
    this.openForm(card, form.element, composer);
    if (quoted) composer.fill(quoted);
    else (form.name.value || form.nameField.hidden ? form.text : form.name).focus();
  }

  /** @param {Card} card */
  edit(card) {
    const { comment } = card;
    const draftItem = `${this.draftItem}edit:${comment.id}`;
    const cancel = () => {
      this.closeForm()?.element.focus();
      this.#session.storage.set(draftItem, null);
    };
    const form = this.#session.view.newForm(`edit-${comment.id}`, 'save', false);
    const options = this.#options(null);
    const composer = new Composer(form, {
      ...options, nameLimit: undefined, nameItem: undefined, draftItem, cancel,
      value: toSource(comment.body ?? []),
      send: ({ body }) => this.#save(comment.id, body, form),
    });
    this.openForm(card, form.element, composer);
    form.text.focus();
  }

  /** @param {string} id @param {string} body @param {Form} form */
  async #save(id, body, form) {
    form.submit.disabled = true;
    try {
      const changed = await commands.edit(this.#session.api, id, body);
      this.#actions.applyAnswer(id, changed.comment, changed.seq);
      this.closeForm(form.element)?.element.focus();
      return true;
    } catch (error) {
      // another form may have taken its place: what was written is a draft then
      if (form.element.isConnected) showFormError(form, this.#actions.sentence(error), form.text);
      else this.#actions.reportError(error);
      return false;
    } finally {
      form.submit.disabled = false;
    }
  }

  /** A text that was not sent returns to the form that it came from. @param {PendingPost} post @param {boolean} isFocused */
  takeBack({ parent_id, body, name }, isFocused) {
    const card = parent_id && this.#session.list.cards.get(parent_id);
    if (card && isFocused) this.reply(card);
    const open = this.#open?.composer;
    if (!card) this.#composer.fill(body, name, isFocused);
    else if (open?.id === parent_id) open?.fill(body, name, isFocused);
    else this.#session.storage.set(this.draftItem + parent_id, body);
  }
}

/** What is selected of the comment, or all of it, as a quotation. @param {Card} card */
function quote({ comment, element }) {
  const selected = document.getSelection()?.toString().trim() ?? '';
  const isOfIt = selected !== '' && (element.querySelector('.body')?.textContent ?? '').includes(selected);
  const source = isOfIt ? selected : toSource(comment.body ?? []);
  return `${source.split('\n').map((line) => `> ${line}`).join('\n')}\n\n`;
}
