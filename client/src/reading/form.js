/**
 * The fields that a comment is written in. They are there at once; what they can do comes with the actions.
 *
 * @import { Key, Translate } from '../page/strings.js'
 */
import { h } from '../page/dom.js';

export class Form {
  /** @param {Translate} t @param {string} id Sets the fields of one form apart from those of another. @param {Key} submit The label of the button. @param {boolean} hasName */
  constructor(t, id, submit, hasName) {
    this.name = h('input', { id: `name-${id}`, part: 'input', name: 'name', autocomplete: 'nickname', dir: 'auto' });
    this.text = h('textarea', { id: `body-${id}`, part: 'textarea', name: 'body', rows: 4, dir: 'auto', 'aria-describedby': `hint-${id}` });
    this.hint = h('span', { id: `hint-${id}`, part: 'hint' });
    this.error = h('p', { id: `error-${id}`, part: 'error', role: 'alert', hidden: true });
    this.submit = h('button', { type: 'submit', part: 'submit' }, t(submit));
    this.foot = h('div', { class: 'foot' }, this.submit, this.hint);
    /** Room for what comes with the actions. */
    this.tools = h('div', { part: 'toolbar' });
    this.nameField = h('div', { hidden: !hasName }, h('label', { for: this.name.id }, t('name')), this.name);
    const label = h('label', { for: this.text.id }, t('text'));
    this.element = h('form', { part: 'form', novalidate: true }, this.nameField, label, this.tools, this.text, this.error, this.foot);
  }
}
