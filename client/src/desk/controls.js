/**
 * What presses and keys mean. Every act has one way, whether a form of the page, a button of the script or a key asks for it.
 *
 * @import { Command } from './keyboard.js'
 * @import { DeskPage } from './desk.js'
 * @import { Act, Decision } from './requests.js'
 * @import { SafeStorage } from '../page/storage.js'
 */
import { targetOf } from './acts.js';
import { Help } from './help.js';
import { isTyping, Keys, KEYS_OFF } from './keyboard.js';
import { MOST_ITEMS } from './requests.js';

export class Controls {
  #desk;
  #storage;
  #keys = new Keys();
  #help;

  /** @param {DeskPage} desk @param {SafeStorage} storage */
  constructor(desk, storage) {
    this.#desk = desk;
    this.#storage = storage;
    this.#help = new Help(desk.t, storage);
    const { root } = desk;
    root.addEventListener('submit', (event) => this.#submit(event));
    root.addEventListener('click', (event) => this.#click(event));
    root.addEventListener('change', ({ target }) => target instanceof HTMLInputElement && target.matches('[data-pick]') && this.#pick(target, false));
    root.addEventListener('focusin', ({ target }) => this.#at(target));
    root.addEventListener('pointerdown', ({ target }) => this.#at(target));
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {EventTarget | null} target */
  #at(target) {
    const card = target instanceof Element ? target.closest('[data-items] > .item') : null;
    if (card instanceof HTMLElement) this.#desk.current = card;
  }

  // ---- forms and presses ----------------------------------------------------------------------------------

  /** @param {SubmitEvent} event */
  #submit(event) {
    const { target: form, submitter } = event;
    if (!(form instanceof HTMLFormElement)) return;
    const card = form.closest('.item');
    const act = submitter?.dataset.do;
    if (form.matches('[data-bulk]') && act) {
      event.preventDefault();
      void this.#desk.acts.decideAll(this.#desk.selection.targets, decisionOf(form, act));
    } else if (card instanceof HTMLElement && form.matches('.acts') && act) {
      event.preventDefault();
      void this.#desk.acts.decide(card, act === 'remove' ? decisionOf(form, act) : { do: /** @type {Act} */ (act) });
    } else if (card instanceof HTMLElement && form.matches('[data-banning] form')) {
      const given = new FormData(form);
      // of a network a page says first how many people that is
      if ((given.get('reach') ?? 'author') !== 'author') return;
      event.preventDefault();
      closeAll(card);
      void this.#desk.acts.ban(card, given);
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const { target, detail, shiftKey } = event;
    if (!(target instanceof Element)) return;
    // the second press of a double one would be for the card that has come under it
    if (detail > 1 && target.closest('[data-do]')) event.preventDefault();
    if (shiftKey && target instanceof HTMLInputElement && target.matches('[data-pick]')) this.#pick(target, true);
  }

  /** @param {HTMLInputElement} box @param {boolean} isRange */
  #pick(box, isRange) {
    const { selection, cards } = this.#desk;
    const card = box.closest('.item');
    if (!(card instanceof HTMLElement)) return;
    const target = targetOf(card);
    if (isRange) selection.range(cards.all.map(targetOf), target.comment_id);
    else if (selection.has(target.comment_id) !== box.checked) selection.set(target, box.checked);
    this.#desk.chosen();
  }

  /** All of the queue that are of the current card's author or discussion, on the page or not. @param {'author' | 'key'} what */
  async chooseAll(what) {
    const { current, queue, requests, selection, status, t } = this.#desk;
    const value = current?.dataset[what];
    if (!value) return status.say(t('no_card'));
    /** @type {string | undefined} */
    let cursor;
    try {
      do {
        const { items, next } = await requests.queue({ queue: queue.name, [what]: value, limit: MOST_ITEMS, cursor });
        for (const { comment, version } of items) selection.set({ comment_id: comment.id, version }, true);
        cursor = next ?? undefined;
      } while (cursor && selection.size < MOST_CHOSEN);
    } catch {
      status.say(t('not_loaded'));
    }
    this.#desk.chosen();
    status.say(t('chosen', { n: selection.size }));
  }

  // ---- keys -----------------------------------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target, key } = event;
    const removing = target instanceof Element ? target.closest('[data-removing]') : null;
    if (key === 'Enter' && removing && target instanceof HTMLInputElement) {
      event.preventDefault(); // the form's first button is another
      return this.#remove();
    }
    if (key === 'Escape' && this.#desk.current) return this.#leave(this.#desk.current);
    if (event.defaultPrevented || isTyping(target) || this.#storage.get(KEYS_OFF)) return;
    const meaning = this.#keys.meaning(event, event.timeStamp);
    if (!meaning) return;
    if ('reason' in meaning && !this.#reason(meaning.reason)) return;
    event.preventDefault();
    if ('queue' in meaning) this.#go(meaning.queue);
    else if ('command' in meaning && !(event.repeat && DECIDING.has(meaning.command))) this.run(meaning.command);
  }

  /** @param {Command} command */
  run(command) {
    const desk = this.#desk;
    if (command === 'next' || command === 'previous') return desk.move(command === 'next' ? 1 : -1);
    if (command === 'undo') return void desk.acts.undoLast();
    if (command === 'help') return this.#help.open();
    if (command === 'search') return this.#search();
    const card = desk.current;
    if (!card) return desk.move(1);
    this.#about(command, card);
  }

  /** @param {Command} command @param {HTMLElement} card */
  #about(command, card) {
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (card.querySelector(selector));
    const box = find('[data-pick]');
    const removing = find('[data-removing]');
    switch (command) {
      case 'approve':
        return (find('.acts [data-do=approve]') ?? find('.acts [data-do=keep]'))?.click();
      case 'spam':
        return find('.acts [data-do=spam]')?.click();
      case 'remove':
        return removing instanceof HTMLDetailsElement && removing.open ? this.#remove() : this.#open(removing);
      case 'ban':
        return this.#open(find('[data-banning]'));
      case 'context':
        return this.#open(find('[data-context]'));
      case 'select':
      case 'range':
        return command === 'select' ? box?.click() : this.#pick(/** @type {HTMLInputElement} */ (box), true);
      case 'page':
        return void open(/** @type {HTMLAnchorElement | null} */ (find('[data-page]'))?.href, '_blank', 'noopener');
      case 'person':
        return find('a.author')?.click();
    }
  }

  /** Opened with the focus in it, or closed. @param {Element | null} details */
  #open(details) {
    if (!(details instanceof HTMLDetailsElement)) return;
    details.open = !details.open;
    if (details.open) this.enter(details);
  }

  /** @param {HTMLDetailsElement} details */
  enter(details) {
    if (!details.open) return;
    const first = details.querySelector('input:not([type=hidden]), select') ?? details.querySelector('summary');
    /** @type {HTMLElement | null} */ (first)?.focus({ preventScroll: true });
    details.scrollIntoView({ block: 'nearest' });
  }

  /** Back to the card. @param {HTMLElement} card */
  #leave(card) {
    closeAll(card);
    if (card.contains(document.activeElement)) this.#desk.focus(card);
  }

  /** Removes for this reason, where reasons are open. @param {number} number */
  #reason(number) {
    const choice = this.#desk.current?.querySelector(`[data-removing][open] [data-number="${number}"]`);
    if (!(choice instanceof HTMLInputElement)) return false;
    choice.checked = true;
    this.#remove();
    return true;
  }

  #remove() {
    /** @type {HTMLElement | null | undefined} */ (this.#desk.current?.querySelector('[data-removing] [data-do=remove]'))?.click();
  }

  #search() {
    const field = document.querySelector('input[type=search]');
    if (field instanceof HTMLInputElement) field.focus();
    else this.#go('all');
  }

  /** @param {string} queue */
  #go(queue) {
    /** @type {HTMLElement | null} */ (this.#desk.root.querySelector(`.queues [data-queue="${queue}"]`))?.click();
  }
}

/** Of one author or discussion; twenty requests to the server of a hundred each. */
const MOST_CHOSEN = 2000;
/** A key that is held down decides once. @type {ReadonlySet<Command>} */
const DECIDING = new Set(['approve', 'remove', 'spam', 'ban', 'undo', 'select', 'range', 'page', 'person', 'help']);

/** @param {HTMLElement} card */
function closeAll(card) {
  for (const details of card.querySelectorAll('details[open]')) details.removeAttribute('open');
}

/** @param {HTMLFormElement} form @param {string} act @returns {Decision} */
function decisionOf(form, act) {
  const fields = new FormData(form);
  const given = (/** @type {string} */ name) => String(fields.get(name) ?? '').trim() || undefined;
  const isRemoval = act === 'remove' || act === 'spam';
  return { do: /** @type {Act} */ (act), reason: isRemoval ? given('reason') : undefined, note: isRemoval ? given('note') : undefined };
}
