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
