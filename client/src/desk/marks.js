/**
 * What the script writes on a card: who decided first, and who looks at it. Both lie over the card, so that nothing in it moves.
 */
import { h } from '../page/dom.js';

/** What came of it, over the buttons, which do nothing any more. @param {HTMLElement} card @param {string} sentence @param {boolean} isOver */
export function markDecided(card, sentence, isOver) {
  card.querySelector(':scope > .desk-mark')?.remove();
  card.classList.toggle('desk-over', isOver);
  const deciding = card.querySelector('.deciding');
  if (deciding) /** @type {HTMLElement} */ (deciding).inert = isOver;
  card.append(h('p', { class: 'desk-mark' }, sentence));
}

/** @param {HTMLElement} card @param {string} sentence Empty: nobody looks. */
export function markLooking(card, sentence) {
  const mark = card.querySelector(':scope > .desk-looking');
  if (!sentence) mark?.remove();
  else if (mark) mark.textContent = sentence;
  else card.append(h('p', { class: 'desk-looking' }, sentence));
}
