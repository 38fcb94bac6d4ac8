/**
 * What readers do to a comment less often, in a small menu as the W3C has it. It lies over the page, so that it moves
 * nothing, and closes with a choice, Escape, another press, scrolling, and once the focus is elsewhere.
 *
 * @import { Card } from '../../reading/card.js'
 * @import { Announcer } from '../announcer.js'
 * @import { Actions, Context } from '../context.js'
 */
import { button, h } from '../../page/dom.js';
import { copyLink } from './clipboard.js';
import css from './menu.css';

/** From the window's edges. */
const MARGIN_PX = 8;

/** Opens it, or closes it where it is open. @param {Card} card @param {Context} context @param {Actions['commands']} commands @param {Announcer} announcer */
export function toggleMenu(card, context, commands, announcer) {
  const { more } = card;
  if (more.nextElementSibling?.matches('.menu')) return void more.nextElementSibling.dispatchEvent(new Event('cancel'));
  const { host, cards, t } = context;
  const { comment } = card;
  host.adoptStyles(css);
  const items = [
    cards.canReply && item(t('quote'), () => commands.quote(comment.id)),
    item(t('link'), () => copyLink(comment.id, context, announcer)),
    !cards.isOwn(comment) && item(t('report'), () => commands.report(comment.id)),
  ].filter((one) => one !== false);
  const menu = h('div', { part: 'menu', role: 'menu', popover: 'manual', 'aria-label': more.ariaLabel || t('more_actions') }, ...items);
  const closing = new AbortController();

  /** @param {string} text @param {() => unknown} work */
  function item(text, work) {
    const choose = () => {
      close();
      more.focus({ preventScroll: true });
      work();
    };
    return button(text, 'action', choose, { role: 'menuitem', tabindex: -1 });
  }

  function close() {
    closing.abort();
    menu.remove();
    more.ariaExpanded = 'false';
  }

  /** Back to the button. */
  function cancel() {
    close();
    more.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const at = items.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const last = items.length - 1;
    const next = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last }[event.key];
    if (next === undefined && event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    if (next === undefined) cancel();
    else items[next].focus();
  }

  const { signal } = closing;
  /** @type {(event: Event) => boolean} */
  const isWithin = (event) => event.composedPath().some((one) => one === menu || one === more);
  menu.addEventListener('keydown', key);
  menu.addEventListener('cancel', cancel);
  // of a press the focus may go to nothing, and the press itself is heard below
  menu.addEventListener('focusout', ({ relatedTarget: to }) => to instanceof Node && to !== more && !menu.contains(to) && close());
  document.addEventListener('pointerdown', (event) => isWithin(event) || close(), { signal, capture: true });
  document.addEventListener('scroll', cancel, { signal, capture: true, passive: true });
  context.signal.addEventListener('abort', close, { signal });
  more.after(menu);
  more.ariaExpanded = 'true';
  menu.showPopover?.();
  place(menu, more);
  items[0].focus({ preventScroll: true });
}

/** Below the button, or above it where there is more room. @param {HTMLElement} menu @param {HTMLElement} anchor */
function place(menu, anchor) {
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const start = getComputedStyle(anchor).direction === 'rtl' ? right - width : left;
  const isAbove = bottom + height > innerHeight && top > height;
  menu.style.left = `${Math.max(MARGIN_PX, Math.min(start, document.documentElement.clientWidth - width - MARGIN_PX))}px`;
  menu.style.top = `${isAbove ? top - height : bottom}px`;
}
