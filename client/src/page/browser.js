/**
 * The browser's clock, chance and network, for what is told them so that tests can hand in others.
 *
 * @import { World } from '../live/stream.js'
 */

/** @type {World} */
export const browser = {
  setTimeout: (work, ms) => setTimeout(work, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: Math.random,
  isOnline: () => navigator.onLine !== false,
};
