/**
 * Why a discussion does not show, or not as it was written, said in the console to whoever set it up: what to write, and
 * where. It is loaded after such a failure alone. Readers see that the comments could not be loaded.
 *
 * @import { Place } from '../live/api.js'
 *
 * @typedef {{status: number, code: string}} Refusal `status` is 0 where no answer could be read.
 */

/** How long the browser may take to report that a policy forbids a request. */
const REPORT_MS = 200;

/** What the attributes may say: the values, and the same in words. @type {Record<string, [RegExp, string]>} */
const VALUES = {
  sort: [/^(newest|oldest|top)$/, 'newest, oldest or top'],
  composer: [/^(top|bottom)$/, 'top or bottom'],
  theme: [/^(light|dark|auto)$/, 'light, dark or auto; without it, the colours are those of the page'],
  loading: [/^(lazy|eager)$/, 'lazy or eager'],
  time: [/^(absolute|relative|auto)$/, 'absolute, relative or auto'],
  live: [/^(on|off)$/, 'on or off'],
  announce: [/^(on|off)$/, 'on or off'],
  credentials: [/^(omit|include)$/, 'omit or include'],
  'heading-level': [/^[2-6]$/, 'a number from 2 to 6'],
  max: [/^([1-9]\d?|100)$/, 'a number from 1 to 100'],
  depth: [/^[0-3]$/, 'a number from 0 to 3'],
  'no-shadow': [/^(true|no-shadow)$/, 'nothing: it holds where it is there at all, and is left out where it shall not'],
};

/** What was said is not said again. @type {Set<string>} */
const said = new Set();

/** @param {string} sentence */
function warn(sentence) {
  if (!sentence || said.has(sentence)) return;
  said.add(sentence);
  console.warn(`Tertulia: ${sentence}`);
}

/** @param {Element} host @param {Place} place @param {Refusal} [refusal] */
export async function diagnose(host, place, refusal) {
  for (const [name, [pattern, words]] of Object.entries(VALUES)) {
    const value = host.getAttribute(name);
    if (value && !pattern.test(value)) warn(`${name}="${value}" is not understood. Write ${words}.`);
  }
  if (refusal) warn(await cause(host, place, refusal));
}

/** One sentence with what to change; '' where it may pass by itself. @param {Element} host @param {Place} place @param {Refusal} refusal */
async function cause(host, { server, site }, { status, code }) {
  const given = host.getAttribute('server');
  if (given && !/^(https?:)?\/\//i.test(given)) return `server="${given}" has no scheme. Write one: server="https://comments.example".`;
  if (code === 'unknown_site') return `${server} has no site "${site}". Add it there: tertulia site add ${site} --origin ${window.origin}`;
  if (code === 'origin_not_allowed') return refused(server, site);
  if (code === 'invalid' || code === 'too_long' || code === 'empty') return 'the server takes no such key. Write another one, as discussion="…", of 1 to 512 characters.';
  if (status >= 500 || status === 429) return '';
  if (status && code) return '';
  if (status) return `${server} answered ${status}, and not as Tertulia does. Is it the right address? It is what the attribute server says, or where the script comes from.`;
  if (server === location.origin) return '';
  return (await unread(server, site)) ?? refused(server, site);
}

/** @param {string} server @param {string} site */
function refused(server, site) {
  const { origin } = window; // of the address, a file has one
  if (origin === 'null') {
    return 'this page has no origin, since it is a file or in a sandbox without allow-same-origin, and a server can allow only those that have one. Open it through a web server, such as: python3 -m http.server';
  }
  const setting = site === 'default' ? `TERTULIA_ALLOWED_ORIGINS=${origin} (with a comma after those that are there)` : `tertulia site add ${site} --origin ${origin} (with those that it has)`;
  return `${server} does not allow pages of ${origin}. Add the origin there: ${setting}`;
}

/** Why no answer could be read, where it is not that the server allows only others to read it. @param {string} server @param {string} site @returns {Promise<string | undefined>} */
async function unread(server, site) {
  const { hostname, protocol } = new URL(server);
  const isLocal = /^(localhost|127\..*|\[::1\])$/.test(hostname);
  if (location.protocol === 'https:' && protocol === 'http:' && !isLocal) {
    return `a page with https cannot ask ${server}. Write server="${server.replace('http', 'https')}", and let the server have a certificate.`;
  }
  /** @type {Promise<string>} */
  const forbidden = new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective), { once: true });
  });
  // every page may read this file, so that only the way to it can fail
  const isThere = await fetch(`${server}/embed.js`, { method: 'HEAD', credentials: 'omit', cache: 'no-store' }).then(({ ok }) => ok, () => undefined);
  if (isThere) {
    const isAnswered = await fetch(`${server}/api/v1/counts?site=${site}&key=-`, { credentials: 'omit' }).then(() => true, () => false);
    return isAnswered ? '' : undefined; // it has passed
  }
  if (isThere === false) return `${server} does not answer as Tertulia does. Is it the right address? It is what the attribute server says, or where the script comes from.`;
  const directive = await Promise.race([forbidden, new Promise((resolve) => setTimeout(resolve, REPORT_MS, ''))]);
  if (directive) return `the Content-Security-Policy of this page forbids ${server}. Add to its connect-src: ${server} ${server.replace('http', 'ws')}`;
  return `${server} cannot be reached. Is it the right address, and does it run? Blockers of content can be the cause, too.`;
}
