/**
 * The address of the page, and keys as templates write them. The server knows all spellings of an address, so each is
 * sent as it is.
 */

/** What fits into a request's first line, for which servers in between have 8 KiB. */
const LONGEST = 3500;
/** What a template leaves behind: values that were not there, as `null` is where no key is given, and marks that nothing took the place of. */
const MISTAKE = /^\s*(undefined|null|None|\[obj.*)?\s*$|[<{]%|[{#$]{/;

/** The canonical link as HTML has it (`rel` is a list of words, an empty `href` is none), else without query and fragment. */
export function pageAddress() {
  const links = /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel~=canonical]'));
  const link = [...links].find((one) => one.getAttribute('href')?.trim() && /^http.*\w\//.test(one.href));
  return link?.href ?? location.origin + location.pathname;
}

/** What names a discussion: the key that was given, or without one, and in place of a mistake, the page. @param {any} given Text, or null. @returns {string} */
export const keyOf = (given) => (isMistake(given) ? pageAddress() : given).slice(0, LONGEST);

/** Whether a key is a template's mistake, or none. @param {any} key */
export const isMistake = (key) => MISTAKE.test(key);

let warnings = 0;

/** Tells who made the page of a mistake, once. @param {string} key */
export function warn(key) {
  if (!warnings++) console.warn(`Tertulia: key="${key}" is no key; write the page's address`);
}
