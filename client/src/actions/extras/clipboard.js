/**
 * Links to comments, for the clipboard.
 *
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 */
import { h } from '../../page/dom.js';
import { elementId } from '../../page/names.js';

/** @param {string} id @param {Context} context @param {Announcer} announcer */
export async function copyLink(id, { t }, announcer) {
  const link = `${location.href.split('#')[0]}#${elementId(id)}`;
  history.replaceState(history.state, '', link);
  if (await copy(link)) announcer.announce(t('copied'));
}

/** Pages without https, and some frames, have no clipboard; there the old way may work. @param {string} text @returns {Promise<boolean>} Whether it is copied. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h('textarea', { class: 'unseen', readonly: true });
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    document.body.append(field);
    field.value = text;
    field.select();
    const isCopied = document.execCommand('copy');
    field.remove();
    before?.focus();
    return isCopied;
  }
}
