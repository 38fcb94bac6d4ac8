/**
 * What the first browser said of the page stays, until somebody of the site comes by.
 *
 * @import { Context } from '../context.js'
 */
import { pageTitle } from '../commands.js';
import { pageAddress } from '../../page/address.js';

/** Of unread messages, before the title of a window. */
const COUNTER = /^\s*[([]\d{1,4}\+?[)\]]\s+/;

/**
 * Tells the server the page's title and address, where the discussion is surely of this page: elsewhere, such as in a
 * drawer of the front page, the title is another's.
 *
 * @param {Context} context
 */
export async function correctPage({ api, settings, thread }) {
  const { title, url, seq } = thread.discussion;
  const shown = pageTitle().replace(COUNTER, '').trim();
  const own = pageAddress();
  const isHere = settings.place.key === own || (url && pathOf(url) === pathOf(own));
  const change = { title: shown || undefined, url: own.startsWith(`${location.origin}/`) ? own : undefined };
  if (!seq || !isHere || (change.title === title && change.url === url)) return;
  await api.ask('PATCH', api.here('/discussion'), change).catch(() => {});
}

/** @param {string} url */
const pathOf = (url) => url.split(/[?#]/)[0];
