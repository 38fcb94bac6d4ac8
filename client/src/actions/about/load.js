/**
 * The file for pages that a moderator visits, or whose key is none.
 *
 * @import * as about from './index.js'
 */

/** @returns {Promise<typeof about>} */
export const loadAbout = () => import(new URL(ABOUT_FILE, import.meta.url).href);
