/**
 * The forms in which the reader writes: one for the discussion, and one reply, edit or report at a time.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Auth } from './auth.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {{body: string, name: string, parent_id: string | null}} Draft
 */
import * as commands from '../commands.js';
import { fieldOf, showFormErrors } from './formError.js';
import { Composer } from './composer.js';
import { h, setText } from '../../page/dom.js';
import { itemName } from '../../page/names.js';
import { bringIntoView } from '../browse/scroll.js';

export class Forms {
  /** Sends a draft, and returns whether the field may be emptied. @type {(draft: Draft) => boolean} */
  send = () => false;
  #context;
  #others;
  #nameItem;
  #draftItem;
  /** @type {Composer | undefined} */
  #composer;
  /** The form that is open in a card. @type {{card: Card, element: HTMLElement, composer?: Composer} | null} */
  #open = null;

  /** @param {Context} context @param {{announcer: Announcer, auth: Auth}} others */
  constructor(context, others) {
    this.#context = context;
    this.#others = others;
    const { place } = context.settings;
    this.#nameItem = itemName('name', place);
    this.#draftItem = `${itemName('draft', place, place.key)}:`;
  }

  start() {
    const { view, signal } = this.#context;
    view.form.element.onsubmit = null;
    this.#composer = new Composer(view.form, this.#options(null));
    addEventListener('pagehide', () => this.stop(), { signal });
  }

  /** Keeps what is being written. */
  stop() {
    this.#composer?.saveDraft();
    this.#open?.composer?.saveDraft();
  }

  /** The form that is open moves on to the card that takes the place of its own. */
  listReplaced() {
    const open = this.#open;
    const card = open && this.#context.list.cards.get(open.card.comment.id);
    if (!open || !card) return void this.closeForm();
    card.form.append(...open.card.form.childNodes);
    open.card = card;
  }

  /** @param {Card | null} card Whose comment is answered. */
  #options(card) {
    const { api, live, settings, storage, t, thread } = this.#context;
    const parent_id = card?.comment.id ?? null;
    return {
      t,
      storage,
      limit: thread.limits.text_length,
      ...(settings.tokenEndpoint ? {} : { nameLimit: thread.limits.name_length, nameItem: this.#nameItem }),
      draftItem: this.#draftItem + (parent_id ?? ''),
      typing: () => live.typing(),
      preview: (/** @type {string} */ text) => commands.preview(api, text),
      send: (/** @type {{body: string, name: string}} */ draft) => {
        const isSent = this.send({ ...draft, parent_id });
        if (isSent && card) this.closeForm();
        return isSent;
      },
    };
  }

  // ---- forms in cards -----------------------------------------------------------------------------------

  /** @param {Card} card @param {HTMLElement} element @param {Composer} [composer] */
  openForm(card, element, composer) {
    this.closeForm();
    card.form.replaceChildren(element);
    this.#open = { card, element, composer };
    bringIntoView(element, 'nearest');
  }

  /** Shows what went wrong at a card, above the form that may be open there. @param {Card} card @param {string} sentence */
  showError(card, sentence) {
    card.form.querySelector(':scope > .error')?.remove();
    card.form.prepend(h('p', { part: 'error', role: 'alert' }, sentence));
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

  /** @param {Card} card @param {string} [quoted] What the reply begins with. */
  reply(card, quoted) {
    if (this.#open?.composer?.id === card.comment.id) return void (quoted && this.#open.composer.fill(quoted));
    const { settings, t, thread, view } = this.#context;
    if (this.#others.auth.isStranger) return this.#others.auth.askToSignIn();
    const cancel = () => this.closeForm()?.reply.focus();
    const form = view.newForm(card.comment.id, 'send_reply', !settings.tokenEndpoint);
    if (settings.tokenEndpoint) form.name.value = thread.viewer?.name ?? '';
    const composer = new Composer(form, { ...this.#options(card), id: card.comment.id, cancel });
    this.openForm(card, form.element, composer);
    setText(form.text.labels[0], t('reply_to', { name: card.comment.author?.name ?? '' }));
    if (quoted) composer.fill(quoted);
    else (form.name.value || form.nameField.hidden ? form.text : form.name).focus();
  }

  /** A form with a draft of its own, such as that of an edit. @param {Card} card @param {Form} form @param {{draft: string, value: string, cancel: () => void, send: (draft: {body: string}) => Promise<boolean>}} options */
  openComposer(card, form, { draft, cancel, ...options }) {
    const draftItem = this.#draftItem + draft;
    const drop = () => {
      cancel();
      this.#context.storage.set(draftItem, null);
    };
    const composer = new Composer(form, { ...this.#options(null), nameLimit: undefined, nameItem: undefined, draftItem, ...options, cancel: drop });
    this.openForm(card, form.element, composer);
  }

  /** What the server refused of a form, under the field that this is about. @param {Form} form @param {string} sentence @param {string} [field] */
  refuse(form, sentence, field) {
    showFormErrors(form, [sentence, fieldOf(form, field)]);
  }

  /** A text that was not sent returns to the form that it came from, with what was refused of it. @param {Draft & {detail?: string, field?: string}} draft @param {boolean} isFocused */
  takeBack({ parent_id, body, name, detail, field }, isFocused) {
    const card = parent_id && this.#context.list.cards.get(parent_id);
    if (card && isFocused) this.reply(card);
    const open = this.#open?.composer;
    if (!card) this.#composer?.fill(body, name, isFocused);
    else if (open?.id === parent_id) open?.fill(body, name, isFocused);
    // without a storage that keeps it, no draft would bring it back
    else if (!this.#context.storage.set(this.#draftItem + parent_id, body)) this.#composer?.fill(body, name, isFocused);
    if (isFocused && detail) (card ? open : this.#composer)?.refuse(detail, field);
  }
}
