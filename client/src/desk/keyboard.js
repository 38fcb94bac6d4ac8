/**
 * Keys of the desk, one each, and `g` with a second one for a queue. They can be switched off (WCAG 2.1.4), and do nothing
 * while somebody types, in a dialog, or with Ctrl, Alt or Meta, which are the browser's.
 *
 * @typedef {'next' | 'previous' | 'approve' | 'remove' | 'spam' | 'ban' | 'undo' | 'select' | 'range' | 'page' | 'context' | 'person' | 'search' | 'help'} Command
 * @typedef {{command: Command} | {reason: number} | {queue: string} | null} Meaning
 * @typedef {Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey' | 'isComposing'>} Key
 */

/** @type {Record<string, Command>} */
export const COMMANDS = {
  j: 'next',
  k: 'previous',
  a: 'approve',
  r: 'remove',
  s: 'spam',
  b: 'ban',
  u: 'undo',
  x: 'select',
  X: 'range',
  o: 'page',
  c: 'context',
  h: 'person',
  '/': 'search',
  '?': 'help',
};

/** @type {Record<string, string>} */
export const QUEUES = { w: 'waiting', r: 'reported', s: 'suspected', b: 'banned', a: 'all' };
/** Kept where single keys are switched off. */
export const KEYS_OFF = 'tertulia:desk-keys-off';
const SECOND_KEY_MS = 1500;

export class Keys {
  #goAt = -Infinity;

  /** @param {Key} key @param {number} now In ms. @returns {Meaning} */
  meaning({ key, shiftKey, ctrlKey, altKey, metaKey, isComposing }, now) {
    if (ctrlKey || altKey || metaKey || isComposing) return null;
    const isSecond = now - this.#goAt < SECOND_KEY_MS;
    this.#goAt = -Infinity;
    const letter = key.length === 1 && !shiftKey ? key.toLowerCase() : key; // with CapsLock, too
    if (isSecond && letter in QUEUES) return { queue: /** @type {string} */ (QUEUES[letter]) };
    if (letter === 'g') this.#goAt = now;
    if (/^[1-8]$/.test(letter)) return { reason: Number(letter) };
    return Object.hasOwn(COMMANDS, letter) ? { command: /** @type {Command} */ (COMMANDS[letter]) } : null;
  }
}

const TYPED = 'textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit]), [contenteditable]';

/** Whether a key pressed there is text. @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof Element && target.closest(`${TYPED}, dialog`) !== null;
}
