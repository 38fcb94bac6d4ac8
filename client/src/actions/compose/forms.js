/**
 * The forms in which the reader writes: one for the discussion, and one reply, edit or report at a time.
 *
 * @import { Node as Tree } from '../../live/wire.js'
 * @import { Card } from '../../reading/card.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Auth } from '../auth.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {{body: string, name: string, parent_id: string | null}} Draft
 * @typedef {(blocks: Tree[]) => string} ToSource
 */
import * as commands from '../commands.js';
import { applyAnswer } from '../../live/thread.js';
import { showFormError } from './formError.js';
import { Composer } from './composer.js';
import { h } from '../../page/dom.js';
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
      nameLimit: settings.tokenEndpoint ? undefined : thread.limits.name_length,
      nameItem: settings.tokenEndpoint ? undefined : this.#nameItem,
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

  /** @param {Card} card @param {ToSource} [toSource] With it, the comment is quoted. */
  reply(card, toSource) {
    const quoted = toSource ? quote(card, toSource) : '';
    if (this.#open?.composer?.id === card.comment.id) return void (quoted && this.#open.composer.fill(quoted));
    const { settings, api, thread, view } = this.#context;
    if (settings.tokenEndpoint && !api.token) return this.#others.auth.askToSignIn();
    const cancel = () => this.closeForm()?.reply.focus();
    const form = view.newForm(card.comment.id, 'send_reply', !settings.tokenEndpoint);
    if (settings.tokenEndpoint) form.name.value = thread.viewer?.name ?? '';
    const composer = new Composer(form, { ...this.#options(card), id: card.comment.id, cancel });
    this.openForm(card, form.element, composer);
    if (quoted) composer.fill(quoted);
    else (form.name.value || form.nameField.hidden ? form.text : form.name).focus();
  }

  /** @param {Card} card @param {ToSource} toSource */
  edit(card, toSource) {
    const { comment } = card;
    const draftItem = `${this.#draftItem}edit:${comment.id}`;
    const cancel = () => {
      this.closeForm()?.element.focus();
      this.#context.storage.set(draftItem, null);
    };
    const form = this.#context.view.newForm(`edit-${comment.id}`, 'save', false);
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
      const changed = await commands.edit(this.#context.api, id, body);
      applyAnswer(this.#context.thread, id, changed.comment, changed.seq);
      this.#context.list.update(id);
      this.closeForm(form.element)?.element.focus();
      return true;
    } catch (error) {
      // another form may have taken its place: what was written is a draft then
      if (form.element.isConnected) showFormError(form, this.#others.announcer.sentence(error), form.text);
      else this.#others.announcer.error(error);
      return false;
    } finally {
      form.submit.disabled = false;
    }
  }

  /** A text that was not sent returns to the form that it came from. @param {Draft} draft @param {boolean} isFocused */
  takeBack({ parent_id, body, name }, isFocused) {
    const card = parent_id && this.#context.list.cards.get(parent_id);
    if (card && isFocused) this.reply(card);
    const open = this.#open?.composer;
    if (!card) this.#composer?.fill(body, name, isFocused);
    else if (open?.id === parent_id) open?.fill(body, name, isFocused);
    // without a storage that keeps it, no draft would bring it back
    else if (!this.#context.storage.set(this.#draftItem + parent_id, body)) this.#composer?.fill(body, name, isFocused);
  }
}

/** What is selected of the comment, or all of it, as a quotation. @param {Card} card @param {ToSource} toSource */
function quote({ comment, element }, toSource) {
  const selected = document.getSelection()?.toString().trim() ?? '';
  const isOfIt = selected !== '' && (element.querySelector('.body')?.textContent ?? '').includes(selected);
  const source = isOfIt ? selected : toSource(comment.body ?? []);
  return `${source.split('\n').map((line) => `> ${line}`).join('\n')}\n\n`;
}
