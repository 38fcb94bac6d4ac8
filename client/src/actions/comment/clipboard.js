import { h } from '../../page/dom.js';

/** Pages without https, and some frames, have no clipboard; there the old way may work. @param {string} text @returns {Promise<boolean>} Whether it is copied. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h('textarea', { class: 'unseen', readonly: true });
    const before = document.activeElement;
    document.body.append(field);
    field.value = text;
    field.select();
    const isCopied = document.execCommand('copy');
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return isCopied;
  }
}
