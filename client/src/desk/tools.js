/**
 * What the script adds to the page: a line of buttons above the cards, on phones a bar with the acts for the card that has the
 * focus, and the line that says that the connection is lost. Every key has its button.
 *
 * @import { DeskPage } from './desk.js'
 * @import { Controls } from './controls.js'
 */
import { h } from '../page/dom.js';
import { press } from './press.js';

/** What the bar offers, by what the card has: the first that it has of each. */
const BAR = [
  ['.acts [data-do=approve]', '.acts [data-do=keep]', '.acts [data-do=restore]'],
  ['[data-removing] > summary'],
  ['.acts [data-do=spam]'],
  ['[data-banning] > summary'],
];

export class DeskTools {
  #desk;
  #controls;
  #fresh;
  #bar = h('div', { class: 'desk-bar', role: 'group' });
  #trouble;
  /** @type {Element | null} */
  #picked;
  /** @type {HTMLElement | null} */
  #bulk;

  /** @param {DeskPage} desk @param {Controls} controls */
  constructor(desk, controls) {
    const { t, root } = desk;
    this.#desk = desk;
    this.#controls = controls;
    this.#fresh = press('', 'desk-fresh', () => void desk.showFresh().catch(() => desk.status.say(t('not_loaded'))));
    this.#trouble = h('p', { class: 'desk-trouble', role: 'alert', hidden: true });
    this.#bulk = root.querySelector('[data-bulk]');
    this.#picked = root.querySelector('[data-picked]');
    this.#bar.setAttribute('aria-label', t('acts'));
    root.querySelector('[data-items]')?.before(this.#trouble, this.#line());
    root.append(this.#bar);
    this.setNew(0);
    this.setChosen();
  }

  #line() {
    const { t } = this.#desk;
    const run = (/** @type {import('./keyboard.js').Command} */ command) => () => this.#controls.run(command);
    return h(
      'div',
      { class: 'desk-tools', role: 'group', 'aria-label': t('tools') },
      this.#fresh,
      press('↑', 'desk-tool', run('previous'), named(t('key_previous'))),
      press('↓', 'desk-tool', run('next'), named(t('key_next'))),
      press(t('undo'), 'desk-tool', run('undo')),
      press(t('keys'), 'desk-tool', run('help')),
      h('details', { class: 'desk-select' }, h('summary', {}, `${t('key_select')}…`), h('div', {}, ...this.#choices())),
      // what was done stands beside the button that takes it back, and stays in sight
      .../** @type {NodeListOf<HTMLElement>} */ (this.#desk.root.querySelectorAll('[data-said]')),
    );
  }

  #choices() {
    const { t } = this.#desk;
    const choose = (/** @type {'author' | 'key'} */ what) => () => void this.#controls.chooseAll(what);
    return [
      press(t('all_of_author'), 'desk-choose', choose('author')),
      press(t('all_of_discussion'), 'desk-choose', choose('key')),
      press(t('choose_none'), 'desk-choose', () => {
        this.#desk.selection.clear();
        this.#desk.chosen();
      }),
    ];
  }

  /** @param {number} n */
  setNew(n) {
    this.#fresh.textContent = n ? this.#desk.t('new_items', { n }) : '';
    // it keeps its room: what is below does not move
    this.#fresh.classList.toggle('desk-none', !n);
    this.#fresh.disabled = !n;
  }

  /** @param {HTMLElement | null} card */
  setCurrent(card) {
    const found = BAR.flatMap((choices) => choices.map((choice) => card?.querySelector(choice)).find(Boolean) ?? []);
    this.#bar.replaceChildren(
      ...found.map((one) => {
        const name = one.getAttribute('aria-label');
        return press(one.textContent.trim(), 'desk-act', () => this.#pass(/** @type {HTMLElement} */ (one)), name ? { 'aria-label': name } : {});
      }),
    );
    // room for it, so that it hides nothing at the end of the page
    document.documentElement.classList.toggle('desk-barred', found.length > 0);
  }

  /** A press of the card's own button. @param {HTMLElement} control */
  #pass(control) {
    control.click();
    if (control.parentElement instanceof HTMLDetailsElement) this.#controls.enter(control.parentElement);
  }

  setChosen() {
    const { selection, t } = this.#desk;
    if (this.#picked) this.#picked.textContent = t('chosen', { n: selection.size });
    this.#bulk?.classList.toggle('desk-none-chosen', !selection.size);
  }

  /** @param {'lost' | 'ended' | ''} state */
  setTrouble(state) {
    const { t } = this.#desk;
    const link = state === 'ended' ? [' ', h('a', { href: signInAgain() }, t('sign_in_again'))] : [];
    this.#trouble.replaceChildren(...(state ? [t(state), ...link] : []));
    this.#trouble.hidden = !state;
  }
}

/** @param {string} name */
const named = (name) => ({ 'aria-label': name, title: name });

/** The sign-in, which leads back here. */
function signInAgain() {
  const { pathname, search } = location;
  const [, site = ''] = /\/sites\/([^/]+)/.exec(pathname) ?? [];
  return `/staff/sign-in?${new URLSearchParams({ site: decodeURIComponent(site), back: pathname + search })}`;
}
