/**
 * What few pages need: a key that is none, a moderator who comes by, faces, slow mode, an end, a look before sending.
 *
 * What the first browser said of the page stays, until somebody of the site comes by.
 *
 * @import { Context } from '../context.js'
 */
import { pageTitle } from '../commands.js';
import { pageAddress, warn } from '../../page/address.js';
import { showAsked } from './asked.js';
import { showFaces } from './faces.js';
import { watchForms } from './nudge.js';

/** Of unread messages, before the title of a window. */
const COUNTER = /^\s*[([]\d{1,4}\+?[)\]]\s+/;

/**
 * @param {Context} context @param {boolean} isTaken Whether the key that is given is the discussion's.
 * @param {(list: Context['list']) => () => void} hold Notes what is read, before the list changes.
 */
export function visit(context, isTaken, hold) {
  if (context.host.hasAttribute('faces')) showFaces(context, () => hold(context.list));
  showAsked(context);
  watchForms(context);
  correct(context, isTaken);
}

/**
 * Says that the key of an element is none. Of a moderator's page the server is told title and address, where the
 * discussion is surely of this page: elsewhere, such as in a drawer of the front page, the title is another's.
 *
 * @param {Context} context @param {boolean} isTaken Whether the key that is given is the discussion's.
 */
async function correct({ api, host, settings, thread }, isTaken) {
  if (!isTaken) warn(host.getAttribute('discussion') ?? host.getAttribute('key') ?? '');
  if (!thread.viewer?.moderator) return;
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
