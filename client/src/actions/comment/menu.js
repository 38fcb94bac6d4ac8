/**
 * What readers do to a comment less often. It is made on demand: ten thousand comments need not have it.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Actions, Context } from '../context.js'
 */
import { button } from '../../page/dom.js';

const COMMANDS = /** @type {const} */ (['quote', 'link', 'report']);

/** @type {WeakMap<Card, HTMLElement[]>} */
const menus = new WeakMap();

/** @param {Card} card @param {Context} context @param {Actions['commands']} commands */
export function toggleMenu(card, { cards, t }, commands) {
  const isOpen = card.more.ariaExpanded === 'true';
  let items = menus.get(card);
  if (!items) {
    const canReport = !cards.isOwn(card.comment);
    items = COMMANDS.filter((command) => (command === 'quote' ? cards.canReply : command === 'link' || canReport))
      .map((command) => button(t(command), 'action', () => commands[command](card.comment.id)));
    menus.set(card, items);
    card.more.after(...items);
  }
  for (const item of items) item.hidden = isOpen;
  card.more.ariaExpanded = String(!isOpen);
  if (!isOpen) items[0]?.focus();
}
