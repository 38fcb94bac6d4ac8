/**
 * What is done to a comment less often, made when it is asked for: ten thousand comments need not have it.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Actions } from '../actions.js'
 */
import { button } from '../../page/dom.js';

const COMMANDS = /** @type {const} */ (['quote', 'link', 'report']);

/** @type {WeakMap<Card, HTMLElement[]>} */
const menus = new WeakMap();

/** @param {Card} card @param {Actions} actions */
export function toggleMenu(card, actions) {
  const { session, t } = actions;
  const isOpen = card.more.ariaExpanded === 'true';
  let items = menus.get(card);
  if (!items) {
    const { canReply } = session.cardContext;
    const canReport = !session.cardContext.isOwn(card.comment);
    items = COMMANDS.filter((act) => (act === 'quote' ? canReply : act === 'link' || canReport))
      .map((act) => button(t(act), 'action', () => actions.dispatch(act, card.comment.id)));
    menus.set(card, items);
    card.more.after(...items);
  }
  for (const item of items) item.hidden = isOpen;
  card.more.ariaExpanded = String(!isOpen);
  if (!isOpen) items[0]?.focus();
}
