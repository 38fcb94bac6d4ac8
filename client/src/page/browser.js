/**
 * The browser's clock, chance and network, handed to modules so that tests can replace them.
 *
 * @typedef {object} Platform
 * @property {(work: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random
 * @property {() => boolean} isOnline
 */

/** @type {Platform} */
export const browser = {
  setTimeout: (work, ms) => setTimeout(work, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: Math.random,
  isOnline: () => navigator.onLine !== false,
};

/** `randomUUID` is missing on plain-http origins; 16 random bytes in hexadecimal serve as well. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join('');
}
