/**
 * The third file: what most readers never use. It is loaded at the first use, and after a failure at the next one.
 *
 * @import * as extras from './index.js'
 *
 * @typedef {typeof extras} Extras
 */
import { loading } from './loading.js';

/** @type {() => Promise<Extras>} */
export const loadExtras = loading(EXTRAS_FILE);
