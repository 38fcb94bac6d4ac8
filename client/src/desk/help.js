/**
 * The list of keys, and the switch that turns them off.
 *
 * @import { SafeStorage } from '../page/storage.js'
 * @import { Say } from './sentences.js'
 */
import { h } from '../page/dom.js';
import { SOUND } from './alerts.js';
import { COMMANDS, KEYS_OFF, QUEUES } from './keyboard.js';
import { press } from './press.js';

export class Help {
  #t;
  #storage;
  /** @type {HTMLDialogElement | undefined} */
  #dialog;

  /** @param {Say} t @param {SafeStorage} storage */
  constructor(t, storage) {
    this.#t = t;
    this.#storage = storage;
  }

  open() {
    this.#dialog ??= this.#made();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #made() {
    const t = this.#t;
    const dialog = h('dialog', { class: 'desk-help', 'aria-labelledby': 'desk-help-title' });
    const rows = [
      ...Object.entries(COMMANDS).map(([key, command]) => [key === 'X' ? '⇧ x' : key, t(`key_${command}`)]),
      ['1–8', t('key_reason')],
      [`g ${Object.keys(QUEUES).join(' ')}`, t('key_queue')],
    ];
    dialog.append(
      h('h2', { id: 'desk-help-title' }, t('keys')),
      h('dl', {}, ...rows.map(([key = '', meaning = '']) => h('div', {}, h('dt', {}, ...key.split(' ').flatMap((one) => [h('kbd', {}, one), ' '])), h('dd', {}, meaning)))),
      h('p', {}, this.#switch(t('keys_on'), KEYS_OFF, true)),
      h('p', {}, this.#switch(t('sound'), SOUND, false)),
      h('p', {}, press(t('close'), 'desk-close', () => dialog.close())),
    );
    document.body.append(dialog);
    return dialog;
  }

  /** A choice that is remembered. @param {string} label @param {string} name Of the item. @param {boolean} isInverted Whether what is kept says no. */
  #switch(label, name, isInverted) {
    const isOn = Boolean(this.#storage.get(name)) !== isInverted;
    const box = h('input', {
      type: 'checkbox',
      checked: isOn,
      onchange: () => this.#storage.set(name, box.checked !== isInverted ? '1' : null),
    });
    return h('label', { class: 'choice' }, box, ' ', label);
  }
}
