/**
 * What is told of while somebody does something else: how many comments wait, in the title and the icon of the tab, and a
 * sound where it is wanted. The icons are files of the server, since no page of the staff may show a made one.
 *
 * @import { SafeStorage } from '../page/storage.js'
 */
export const SOUND = 'tertulia:desk-sound';
/** Above that the icon says no number. */
const MOST = 9;
const QUIET_MS = 5000;

/** @param {string} title @param {number} n */
export function titleWith(title, n) {
  const plain = title.replace(/^\(\d+\) /, '');
  return n ? `(${n}) ${plain}` : plain;
}

/** @param {number} n */
export function iconOf(n) {
  return n ? `/favicon-${n > MOST ? 'more' : n}.svg` : '/favicon.svg';
}

export class Alerts {
  #storage;
  /** @type {AudioContext | undefined} */
  #audio;
  #quietUntil = 0;

  /** @param {SafeStorage} storage */
  constructor(storage) {
    this.#storage = storage;
    // a browser lets a page be heard once somebody has done something there
    for (const name of ['pointerdown', 'keydown']) document.addEventListener(name, () => this.#isWanted && this.#prepare(), { passive: true });
  }

  get #isWanted() {
    return Boolean(this.#storage.get(SOUND));
  }

  /** @param {number} n Of all that waits. */
  show(n) {
    document.title = titleWith(document.title, n);
    const icon = document.querySelector('link[rel~=icon]');
    if (icon && icon.getAttribute('href') !== iconOf(n)) icon.setAttribute('href', iconOf(n));
  }

  /** Two short tones, at most once in QUIET_MS. @param {number} now In ms. */
  sound(now) {
    if (!this.#isWanted || !this.#audio || now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    for (const [place, tone] of [660, 880].entries()) this.#tone(this.#audio, tone, this.#audio.currentTime + place * 0.14);
  }

  /** @param {AudioContext} audio @param {number} tone In Hz. @param {number} at In seconds. */
  #tone(audio, tone, at) {
    const source = audio.createOscillator();
    const volume = audio.createGain();
    source.frequency.value = tone;
    volume.gain.setValueAtTime(0.08, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.13);
    source.connect(volume).connect(audio.destination);
    source.start(at);
    source.stop(at + 0.14);
  }

  #prepare() {
    this.#audio ??= new AudioContext();
    if (this.#audio.state === 'suspended') void this.#audio.resume();
  }
}
