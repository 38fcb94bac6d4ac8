/**
 * "Write a comment" beside the heading: where the form is at the end of the list, it may be fifty screens further down.
 *
 * @import { Context } from '../context.js'
 */
import { button } from '../../page/dom.js';
import { bringIntoView } from '../browse/scroll.js';

export class FormLink {
  #context;
  #link;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
    this.#link = button(context.t('write_comment'), 'write', () => this.#go());
  }

  start() {
    const { settings, view } = this.#context;
    if (settings.composer === 'bottom') view.heading.after(this.#link);
    this.changed();
  }

  changed() {
    const { thread } = this.#context;
    this.#link.hidden = thread.discussion.mode === 'closed' || !thread.comments.size;
  }

  #go() {
    const { form, composeHeading } = this.#context.view;
    const section = /** @type {HTMLElement} */ (composeHeading.parentElement);
    bringIntoView(section, 'start');
    const field = form.name.value || form.nameField.hidden ? form.text : form.name;
    // who has to sign in first finds the button for it in place of the form
    const first = form.element.hidden ? section.querySelector('button') : field;
    first?.focus({ preventScroll: true });
  }
}
