/** A button of the script. */
import { h } from '../page/dom.js';

/** @param {string} text @param {string} name Its class. @param {() => void} onclick @param {Record<string, string>} [attributes] */
export function press(text, name, onclick, attributes = {}) {
  return h('button', { type: 'button', class: name, onclick, ...attributes }, text);
}
