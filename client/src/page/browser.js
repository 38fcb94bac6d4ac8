/**
 * The browser's clock, chance and network, handed to modules so that tests can replace them.
 *
 * @import { Platform } from '../live/stream.js'
 */

/** @type {Platform} */
export const browser = {
  setTimeout: (work, ms) => setTimeout(work, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: Math.random,
  isOnline: () => navigator.onLine !== false,
};
