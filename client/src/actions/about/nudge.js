/**
 * The rule `nudge`: before a comment is sent, its writer is asked to look once more at what may hurt. Whatever they
 * choose happens, and what cannot be asked, or takes longer than a second, is sent.
 *
 * The forms know nothing of it: what is sent passes here first, on its way down to them, and goes on by a second submit.
 *
 * @import { Context } from '../context.js'
 */
import { button, h } from '../../page/dom.js';
import sentences from '../../page/rulesSentences.js';
import { clean } from '../../page/text.js';

const PATIENCE_MS = 1_500;

/** Discussions that are watched. @type {WeakSet<Context>} */
const known = new WeakSet();
/** What each form last asked about, or was told to send. @type {WeakMap<HTMLFormElement, string>} */
const seen = new WeakMap();

/** @param {Context} context */
export function watchForms(context) {
  if (known.has(context)) return;
  known.add(context);
  const { root, signal } = context;
  root.addEventListener('submit', (event) => look(context, event), { capture: true, signal });
}

/** @param {Context} context @param {Event} event */
async function look(context, event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const field = form.querySelector('textarea[name=body]');
  if (!(field instanceof HTMLTextAreaElement) || context.thread.discussion.rules?.nudge !== 'on') return;
  const body = clean(field.value);
  form.querySelector('.nudge')?.remove();
  if (!body || seen.get(form) === body) return void seen.delete(form);
  event.preventDefault();
  event.stopImmediatePropagation();
  const nudges = await asked(context, body);
  seen.set(form, body);
  // what was typed meanwhile is asked about when it is sent
  if (clean(field.value) !== body || !form.isConnected) return void seen.delete(form);
  if (nudges.length) show(context, form, field, nudges[0].word);
  else form.requestSubmit();
}

/** @param {Context} context @param {string} body @returns {Promise<{code: string, word?: string}[]>} */
async function asked({ api }, body) {
  const { site, key } = api.place;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, {}));
  const answer = api.ask('POST', api.url('/nudge'), { site, key, body }).catch(() => ({}));
  return (await Promise.race([answer, late])).nudges ?? [];
}

/** @param {Context} context @param {HTMLFormElement} form @param {HTMLTextAreaElement} field @param {string | undefined} word */
function show({ t }, form, field, word) {
  /** @param {'nudge' | 'nudge_word' | 'nudge_edit' | 'nudge_send'} key */
  const say = (key, given = '') => t(key, { name: given }) || sentences[key].replace('{name}', () => given);
  const close = () => panel.remove();
  const edit = button(say('nudge_edit'), 'nudge-edit', () => {
    close();
    seen.delete(form);
    field.focus();
  });
  const send = button(say('nudge_send'), 'nudge-send', () => {
    close();
    seen.set(form, clean(field.value));
    form.requestSubmit();
  });
  const panel = h('div', { part: 'nudge', class: 'nudge notice', role: 'group' }, h('p', { role: 'alert' }, word ? say('nudge_word', word) : say('nudge')), h('div', { class: 'foot' }, edit, send));
  form.append(panel);
  edit.focus();
}
