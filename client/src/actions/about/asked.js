/**
 * What a discussion asks of its writers, above the form: slow mode, and until when it is open.
 *
 * @import { Context } from '../context.js'
 */
import { h, setText } from '../../page/dom.js';
import sentences from '../../page/rulesSentences.js';

const MINUTE = 60;

/** Where it stands in each view: a list that is read anew has another one. @type {WeakMap<Context['view'], HTMLElement>} */
const shown = new WeakMap();

/** Says it as it is now. @param {Context} context */
export function showAsked(context) {
  const { view } = context;
  const text = asked(context);
  let notice = shown.get(view);
  if (!notice && text) {
    notice = h('p', { part: 'notice', class: 'notice' });
    shown.set(view, notice);
    view.notice.after(notice);
  }
  if (!notice) return;
  setText(notice, text);
  notice.hidden = !text;
}

/** @param {Context} context */
function asked({ cards, t, thread }) {
  const { closes_at, mode, rules } = thread.discussion;
  if (mode === 'closed') return '';
  const said = [];
  if (rules?.slow) {
    const { key, n } = rules.slow % MINUTE ? { key: /** @type {const} */ ('slow_mode'), n: rules.slow } : { key: /** @type {const} */ ('slow_mode_minutes'), n: rules.slow / MINUTE };
    said.push(t(key, { n }) || sentences[key][n === 1 ? 'one' : 'other'].replace('{n}', String(n)));
  }
  if (closes_at) {
    const name = cards.title(closes_at);
    said.push(t('closes_at', { name }) || sentences.closes_at.replace('{name}', () => name));
  }
  return said.join(' ');
}
