/**
 * The status that stands in place of a comment's actions: that it is on its way, or about to be deleted.
 *
 * @import { Card } from '../../reading/card.js'
 */
import { h } from '../../page/dom.js';

/** @param {Card} card @param {string} sentence @param {HTMLElement[]} buttons */
export function showStatus(card, sentence, buttons) {
  card.status.replaceChildren(h('p', {}, sentence), h('div', { class: 'actions' }, ...buttons));
  card.status.hidden = false;
  card.actions.hidden = true;
}

/** @param {Card} card */
export function clearStatus(card) {
  card.element.classList.remove('failed', 'waiting');
  card.element.removeAttribute('aria-busy');
  card.status.hidden = true;
}
