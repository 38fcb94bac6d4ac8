/**
 * What most readers never use, in two files: the third for texts, the fourth for what is done to a comment or a reader. Each
 * is loaded at the first use, and after a failure at the next one.
 *
 * @import * as extras from './index.js'
 *
 * @typedef {typeof extras} Extras
 */
import { loading } from './loading.js';

/** @type {() => Promise<Extras>} */
export const loadExtras = loading(EXTRAS_FILE);
/** What is in it has rooms above this one, so whoever loads it knows of what kind that is. @type {() => Promise<any>} */
export const loadMore = loading(MORE_FILE);
