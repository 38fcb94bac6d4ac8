/**
 * What is wrong with what was written, under the field that it is about.
 *
 * @import { Form } from '../../reading/form.js'
 *
 * @typedef {[sentence: string, field?: HTMLElement]} Wrong Without a field it is about all of it.
 */
import { h, setAttribute, setText } from '../../page/dom.js';

/** @param {Form} form @param {Wrong[]} wrong Without any, what was shown goes away. */
export function showFormErrors({ error, hint, name, nameField, text }, ...wrong) {
  nameField.querySelector('.error')?.remove();
  for (const field of [name, text]) {
    const found = wrong.find((one) => one[1] === field);
    const place = field === text ? error : h('p', { id: `error-${name.id}`, part: 'error', role: 'alert' });
    if (found && place !== error) nameField.append(place);
    setText(place, found?.[0] ?? '');
    setAttribute(field, 'aria-invalid', found && 'true');
    setAttribute(field, 'aria-errormessage', found && place.id);
    setAttribute(field, 'aria-describedby', [field === text && hint.id, found && place.id].filter(Boolean).join(' ') || undefined);
  }
  const shown = wrong.find((one) => one[1] !== name)?.[0] ?? '';
  setText(error, shown);
  error.hidden = !shown;
  wrong[0]?.[1]?.focus();
}

/** The field that a refusal of the server names. @param {Form} form @param {string | undefined} field */
export function fieldOf({ name, text }, field) {
  return field?.startsWith('author') ? name : field === 'body' ? text : undefined;
}
