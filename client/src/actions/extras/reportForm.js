/**
 * Reports a comment to the moderators: a reason, and an optional note.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 *
 * @typedef {object} CardForms
 * @property {(card: Card, element: HTMLElement) => void} openForm
 * @property {(element: HTMLElement) => Card | undefined} closeForm Whose form it was, if it was still open.
 */
import * as commands from '../commands.js';
import { button, h, setAttribute, setText } from '../../page/dom.js';
import sentences from '../../page/reportingSentences.js';
import css from './report.css';

const REASONS = /** @type {const} */ (['spam', 'abuse', 'off_topic', 'illegal', 'other']);
const NOTE_LENGTH = 1000;

/** @param {Card} card @param {Context} context @param {{announcer: Announcer, forms: CardForms}} others */
export function openReportForm(card, { api, host, t }, { announcer, forms }) {
  host.adoptStyles(css);
  /** In the reader's language; English comes with this file. @param {keyof typeof sentences} key */
  const say = (key) => t(key) || sentences[key];
  const { id } = card.comment;
  const close = () => {
    const now = forms.closeForm(form);
    now?.more.focus();
    return now;
  };
  const choices = REASONS.map((reason) => {
    const input = h('input', { type: 'radio', name: `reason-${id}`, value: reason });
    return h('label', { class: 'choice' }, input, say(`reason_${reason}`));
  });
  const note = h('textarea', { id: `note-${id}`, part: 'textarea', rows: 2, dir: 'auto', maxlength: NOTE_LENGTH });
  const message = h('p', { id: `error-report-${id}`, part: 'error', role: 'alert' });
  const reasons = h('fieldset', {}, h('legend', {}, say('report_why')), ...choices);
  const submit = h('button', { type: 'submit', part: 'submit' }, say('report_send'));
  const form = h(
    'form', { part: 'form', class: 'form report', novalidate: true },
    reasons,
    h('label', { for: note.id }, say('report_note')), note, message,
    h('div', { class: 'foot' }, submit, button(t('cancel'), 'cancel', close)),
  );
  // within a composition it takes back a conversion; Safari tells of the key when that has just ended
  form.addEventListener('keydown', (event) => event.key === 'Escape' && event.keyCode !== 229 && !event.isComposing && close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const reason = new FormData(form).get(`reason-${id}`);
    const first = form.querySelector('input');
    if (!reason) {
      setText(message, say('no_reason'));
      choices[choices.length - 1].after(message);
      setAttribute(reasons, 'aria-describedby', message.id);
      return first?.focus();
    }
    submit.disabled = true;
    try {
      await commands.report(api, id, String(reason), note.value.trim());
      const now = close();
      announcer.announce(say('reported'));
      now?.form.replaceChildren(h('p', { part: 'notice', class: 'notice' }, say('reported')));
    } catch (error) {
      setText(message, announcer.sentence(error));
      note.after(message);
      submit.disabled = false;
    }
  });
  forms.openForm(card, form);
  form.querySelector('input')?.focus();
}
