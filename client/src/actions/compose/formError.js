/**
 * What is wrong with what was written, shown at the form.
 *
 * @import { Form } from '../../reading/form.js'
 */
import { setAttribute, setText } from '../../page/dom.js';

/** @param {Form} form @param {string} sentence '' takes it away. @param {HTMLElement} [field] The one it is about. */
export function showFormError({ error, name, text }, sentence, field) {
  setText(error, sentence);
  error.hidden = !sentence;
  for (const one of [name, text]) {
    setAttribute(one, 'aria-invalid', one === field ? 'true' : undefined);
    setAttribute(one, 'aria-errormessage', one === field ? error.id : undefined);
  }
  field?.focus();
}
