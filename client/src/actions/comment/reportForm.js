/**
 * Tells the moderators about a comment: a reason, and a note for those who want to say more.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Key } from '../../page/strings.js'
 * @import { Actions } from '../actions.js'
 */
import * as commands from '../commands.js';
import { button, h, setText } from '../../page/dom.js';

const REASONS = /** @type {const} */ (['spam', 'abuse', 'off_topic', 'illegal', 'other']);
const NOTE_LENGTH = 1000;

/** @param {Card} card @param {Actions} actions */
export function openReportForm(card, actions) {
  const { t } = actions;
  const { id } = card.comment;
  const close = () => {
    const now = actions.forms.closeForm(form);
    now?.more.focus();
    return now;
  };
  const choices = REASONS.map((reason, index) => {
    const input = h('input', { type: 'radio', name: `reason-${id}`, value: reason, checked: index === 0 });
    return h('label', { class: 'choice' }, input, t(/** @type {Key} */ (`reason_${reason}`)));
  });
  const note = h('textarea', { id: `note-${id}`, part: 'textarea', rows: 2, dir: 'auto', maxlength: NOTE_LENGTH });
  const message = h('p', { part: 'error', role: 'alert' });
  const submit = h('button', { type: 'submit', part: 'submit' }, t('report_send'));
  const form = h(
    'form', { part: 'form', class: 'form report', novalidate: true },
    h('fieldset', {}, h('legend', {}, t('report_why')), ...choices),
    h('label', { for: note.id }, t('report_note')), note, message,
    h('div', { class: 'foot' }, submit, button(t('cancel'), 'cancel', close)),
  );
  form.addEventListener('keydown', (event) => event.key === 'Escape' && close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      const reason = String(new FormData(form).get(`reason-${id}`));
      await commands.report(actions.session.api, id, reason, note.value.trim());
      const now = close();
      actions.announce(t('reported'));
      now?.form.replaceChildren(h('p', { part: 'notice', class: 'notice' }, t('reported')));
    } catch (error) {
      setText(message, actions.sentence(error));
      submit.disabled = false;
    }
  });
  actions.forms.openForm(card, form);
  form.querySelector('input')?.focus();
}
