/**
 * The sentences of the script, which the page brings in the language of whoever looks.
 *
 * @typedef {{n?: number, total?: number, name?: string}} Values
 * @typedef {(key: string, values?: Values) => string} Say
 */
import { translator } from '../page/strings.js';

/** @param {Document} page @returns {Say} */
export function sentences(page) {
  const texts = JSON.parse(page.querySelector('[data-sentences]')?.textContent || '{}');
  return /** @type {Say} */ (translator({ language: page.documentElement.lang || 'en', direction: 'ltr', texts }));
}
