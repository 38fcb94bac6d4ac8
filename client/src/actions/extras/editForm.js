/**
 * Changes the text of one's own comment, and quotes another's: both begin with the source of what is shown.
 *
 * @import { ApiError } from '../../live/api.js'
 * @import { Card } from '../../reading/card.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {object} EditForms
 * @property {(card: Card, form: Form, options: {draft: string, value: string, cancel: () => void, send: (draft: {body: string}) => Promise<boolean>}) => void} openComposer
 * @property {(form: Form, sentence: string, field?: string) => void} refuse
 * @property {(element?: HTMLElement) => Card | undefined} closeForm Whose form it was, if it was still open.
 */
import * as commands from '../commands.js';
import { applyAnswer } from '../../live/thread.js';
import { toSource } from './source.js';

/** @param {Card} card @param {Context} context @param {{announcer: Announcer, forms: EditForms}} others */
export function openEditForm(card, context, { announcer, forms }) {
  const { api, view } = context;
  const { id, body } = card.comment;
  const form = view.newForm(`edit-${id}`, 'save', false);
  forms.openComposer(card, form, {
    draft: `edit:${id}`,
    value: toSource(body ?? []),
    cancel: () => forms.closeForm()?.element.focus(),
    send: save,
  });
  form.text.focus();

  /** @param {{body: string}} draft */
  async function save({ body: text }) {
    form.submit.disabled = true;
    try {
      const changed = await commands.edit(api, id, text);
      applyAnswer(context.thread, id, changed.comment, changed.seq);
      context.list.update(id);
      forms.closeForm(form.element)?.element.focus();
      return true;
    } catch (error) {
      // another form may have taken its place: what was written is a draft then
      if (form.element.isConnected) forms.refuse(form, announcer.sentence(error), /** @type {ApiError} */ (error).field ?? 'body');
      else announcer.error(error);
      return false;
    } finally {
      form.submit.disabled = false;
    }
  }
}

/** What is selected of the comment, or all of it, as a quotation. @param {Card} card */
export function quote({ comment, element }) {
  const selected = document.getSelection()?.toString().trim() ?? '';
  const isOfIt = selected !== '' && (element.querySelector('.body')?.textContent ?? '').includes(selected);
  const source = isOfIt ? selected : toSource(comment.body ?? []);
  return `${source.split('\n').map((line) => `> ${line}`).join('\n')}\n\n`;
}
