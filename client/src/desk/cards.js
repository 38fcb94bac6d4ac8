/**
 * The cards of the page. They come from the server alone, as HTML of its one template; here they are asked for, put in, put
 * in the place of older ones and taken away, while what is read stays where it is.
 */
import { chunks, MOST_ITEMS } from './requests.js';

/** How long a card stands that somebody else has decided about. */
export const FOLD_MS = 3000;

export class Cards {
  #list;
  #address;
  /** The card that a finger or a button of the mouse is on. @type {Element | null} */
  #touched = null;
  /** In px, above the first card. */
  #room = 0;
  /** Cards whose time is over, but that somebody is at. @type {Map<HTMLElement, () => void>} */
  #due = new Map();

  /** @param {HTMLElement} list @param {string} address Of cards. */
  constructor(list, address) {
    this.#list = list;
    this.#address = address;
    const page = list.ownerDocument;
    page.addEventListener('pointerdown', ({ target }) => void (this.#touched = target instanceof Element ? target.closest('.item') : null));
    for (const name of ['pointerup', 'pointercancel']) page.addEventListener(name, () => void (this.#touched = null));
    for (const name of ['pointerup', 'pointercancel', 'pointerover', 'focusin', 'focusout']) page.addEventListener(name, () => setTimeout(() => this.#foldDue()));
  }

  /** @returns {HTMLElement[]} */
  get all() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(':scope > .item')]);
  }

  /** @param {string} id @returns {HTMLElement | null} */
  of(id) {
    return this.all.find((card) => card.dataset.id === id) ?? null;
  }

  /** As they are now, in the order of `ids`; what is not there any more is left out. @param {string[]} ids @returns {Promise<HTMLElement[]>} */
  async fetch(ids) {
    const pages = await Promise.all(chunks(ids, MOST_ITEMS).map((some) => this.#page(some)));
    const found = new Map(pages.flat().map((card) => [card.dataset.id, card]));
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** A request reads HTML where the page allows no string to become any; what it has read runs no script. @param {string[]} ids @returns {Promise<HTMLElement[]>} */
  #page(ids) {
    const request = new XMLHttpRequest();
    request.open('GET', `${this.#address}?${new URLSearchParams(ids.map((id) => ['id', id]))}`);
    request.responseType = 'document';
    return new Promise((resolve, reject) => {
      request.onerror = () => reject(new Error('lost'));
      request.onload = () => {
        const found = request.status === 200 && request.response?.querySelectorAll('.item');
        // a sign-in page has none, and is no answer
        if (!found || !request.responseURL.includes(this.#address)) return reject(new Error(String(request.status)));
        resolve([...found].map((card) => this.#list.ownerDocument.importNode(card, true)));
      };
      request.send();
    });
  }

  /** @param {HTMLElement[]} cards @param {Element | null} [before] Without it: at the end. */
  insert(cards, before = null) {
    this.keepPlace(() => this.#list.insertBefore(fragment(cards), before));
  }

  /** As it is now, with what was opened, written and focused in the old one. @param {HTMLElement} old @param {HTMLElement} card */
  replace(old, card) {
    this.#due.delete(old);
    this.keepPlace(() => {
      const isFocused = old.contains(document.activeElement);
      const at = [...old.querySelectorAll(FOCUSABLE)].indexOf(/** @type {Element} */ (document.activeElement));
      carry(old, card);
      old.replaceWith(card);
      if (isFocused) (/** @type {HTMLElement | undefined} */ ([...card.querySelectorAll(FOCUSABLE)][at]) ?? card).focus({ preventScroll: true });
    });
  }

  /** @param {HTMLElement} card */
  remove(card) {
    this.#due.delete(card);
    this.keepPlace(() => card.remove());
  }

  /** Taken away as soon as nobody is at it. @param {HTMLElement} card @param {() => void} gone */
  fold(card, gone) {
    this.#due.set(card, gone);
    this.#foldDue();
  }

  #foldDue() {
    for (const [card, gone] of this.#due) {
      if (this.#touched === card || card.matches(':hover, :focus, :focus-within')) continue;
      this.remove(card);
      gone();
    }
  }

  /** Changes the list without moving what is read: the card that has the focus, or else the first that is seen. @param {() => void} change */
  keepPlace(change) {
    const place = this.#place();
    const before = place?.getBoundingClientRect().top ?? 0;
    change();
    if (!place?.isConnected) return this.#setRoom(0);
    if (scrollY >= this.#room) this.#setRoom(0);
    const moved = () => place.getBoundingClientRect().top - before;
    if (moved()) scrollBy({ top: moved(), behavior: 'instant' });
    // at the top of the page there is nothing to scroll back: what was there leaves its room
    if (moved() < 0) this.#setRoom(this.#room - moved());
  }

  /** @param {number} room */
  #setRoom(room) {
    if (room === this.#room) return;
    this.#room = room;
    this.#list.style.paddingBlockStart = room ? `${room}px` : '';
  }

  /** @returns {Element | undefined} */
  #place() {
    const seen = this.all.filter((card) => isSeen(card.getBoundingClientRect()));
    return seen.find((card) => card.contains(document.activeElement) && !this.#due.has(card)) ?? seen.find((card) => !this.#due.has(card)) ?? seen[0];
  }
}

const FOCUSABLE = 'a, button, input, textarea, select, summary';

/** @param {DOMRect} box */
const isSeen = ({ top, bottom }) => bottom > 0 && top < innerHeight;

/** @param {HTMLElement[]} cards */
function fragment(cards) {
  const all = document.createDocumentFragment();
  all.append(...cards);
  return all;
}

/** What a moderator has opened and written in a card. @param {HTMLElement} old @param {HTMLElement} card */
function carry(old, card) {
  for (const part of ['.pick', '[data-context]', '[data-removing]', '[data-banning]']) {
    const details = old.querySelector(part);
    const next = card.querySelector(part);
    if (!details || !next) continue;
    if (details instanceof HTMLDetailsElement && next instanceof HTMLDetailsElement) next.open = details.open;
    const twins = fieldsOf(next);
    for (const [index, field] of fieldsOf(details).entries()) copy(field, twins[index]);
  }
}

/** @param {Element} part */
const fieldsOf = (part) => /** @type {HTMLInputElement[]} */ ([...part.querySelectorAll('input:not([type=hidden]), textarea, select')]);

/** @param {HTMLInputElement} field @param {HTMLInputElement | undefined} twin */
function copy(field, twin) {
  if (!twin) return;
  if (field.type === 'radio' || field.type === 'checkbox') twin.checked = field.checked;
  else twin.value = field.value;
}
