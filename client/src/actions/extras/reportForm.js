/**
 * Reports a comment to the moderators: a reason, and an optional note.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Key } from '../../page/strings.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {object} CardForms
 * @property {(card: Card, element: HTMLElement) => void} openForm
 * @property {(element: HTMLElement) => Card | undefined} closeForm Whose form it was, if it was still open.
 */
import * as commands from '../commands.js';
import { button, h, setAttribute, setText } from '../../page/dom.js';
import css from './report.css';

const REASONS = /** @type {const} */ (['spam', 'abuse', 'off_topic', 'illegal', 'other']);
const NOTE_LENGTH = 1000;

/** @param {Card} card @param {Context} context @param {{announcer: Announcer, forms: CardForms}} others */
export function openReportForm(card, { api, host, t }, { announcer, forms }) {
  host.adoptStyles(css);
  const { id } = card.comment;
  const close = () => {
    const now = forms.closeForm(form);
    now?.more.focus();
    return now;
  };
  const choices = REASONS.map((reason) => {
    const input = h('input', { type: 'radio', name: `reason-${id}`, value: reason });
    return h('label', { class: 'choice' }, input, t(/** @type {Key} */ (`reason_${reason}`)));
  });
  const note = h('textarea', { id: `note-${id}`, part: 'textarea', rows: 2, dir: 'auto', maxlength: NOTE_LENGTH });
  const message = h('p', { id: `error-report-${id}`, part: 'error', role: 'alert' });
  const reasons = h('fieldset', {}, h('legend', {}, t('report_why')), ...choices);
  const submit = h('button', { type: 'submit', part: 'submit' }, t('report_send'));
  const form = h(
    'form', { part: 'form', class: 'form report', novalidate: true },
    reasons,
    h('label', { for: note.id }, t('report_note')), note, message,
    h('div', { class: 'foot' }, submit, button(t('cancel'), 'cancel', close)),
  );
  form.addEventListener('keydown', (event) => event.key === 'Escape' && close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const reason = new FormData(form).get(`reason-${id}`);
    const first = form.querySelector('input');
    if (!reason) {
      setText(message, t('no_reason'));
      choices[choices.length - 1].after(message);
      setAttribute(reasons, 'aria-describedby', message.id);
      return first?.focus();
    }
    submit.disabled = true;
    try {
      await commands.report(api, id, String(reason), note.value.trim());
      const now = close();
      announcer.announce(t('reported'));
      now?.form.replaceChildren(h('p', { part: 'notice', class: 'notice' }, t('reported')));
    } catch (error) {
      setText(message, announcer.sentence(error));
      note.after(message);
      submit.disabled = false;
    }
  });
  forms.openForm(card, form);
  form.querySelector('input')?.focus();
}
