/**
 * How things of a discussion are called: a comment on the page and in a link, and what is kept in the storage.
 */

const PREFIX = 'comment-';

/** The id of its element. @param {string} id */
export const elementId = (id) => PREFIX + id;

/** The address of a comment on this page: with a `<base>`, a fragment alone would lead to another. @param {string} id */
export const linkTo = (id) => `${document.baseURI === document.URL ? '' : location.href.split('#')[0]}#${elementId(id)}`;

/** The comment that an element stands for. @param {{id: string}} element */
export const commentId = ({ id }) => id.slice(PREFIX.length);

/** The comment that the page's address leads to. @returns {string | undefined} */
export const linkedId = () => /^#comment-([\w-]+)$/.exec(location.hash)?.[1];

/** The name of an item of a site, or with a key of a discussion. @param {string} what @param {{server: string, site: string}} place @param {string} [key] */
export function itemName(what, { server, site }, key) {
  return `tertulia:${what}:${server}:${site}${key === undefined ? '' : `:${key}`}`;
}
