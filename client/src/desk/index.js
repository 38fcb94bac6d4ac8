/**
 * The script of the moderators' desk: makes the page of a queue a console. Without it the page is one of forms, which do the same.
 */
import { compression, socketTransport } from '../live/transports.js';
import { browser, newKey } from '../page/browser.js';
import { SafeStorage, storage } from '../page/storage.js';
import { Alerts } from './alerts.js';
import { Controls } from './controls.js';
import { DeskPage } from './desk.js';
import { Requests } from './requests.js';
import { sentences } from './sentences.js';
import { DeskTools } from './tools.js';
import css from './desk.css';

const POLL_MS = 5000;
const root = document.querySelector('.desk[data-queue]');
if (root instanceof HTMLElement) start(root);

/** @param {HTMLElement} root */
function start(root) {
  const styles = new CSSStyleSheet();
  styles.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, styles];
  const { site = '', api = '' } = root.dataset;
  const language = document.documentElement.lang || 'en';
  const address = (/** @type {import('../live/wire.js').Cursor} */ { epoch, seq }, /** @type {number | undefined} */ compress) => {
    const query = new URLSearchParams({ site, epoch, after: String(seq), ...(compress === undefined ? {} : { compress: String(compress) }) });
    return `${location.origin.replace(/^http/, 'ws')}${api}/staff/live?${query}`;
  };
  const desk = new DeskPage({
    root,
    requests: new Requests({ server: location.origin, site, language }, browser, newKey),
    socket: socketTransport(address, WebSocket, compression(storage)),
    t: sentences(document),
    platform: browser,
    session: new SafeStorage(() => globalThis.sessionStorage),
    language,
  });
  desk.tools = new DeskTools(desk, new Controls(desk, storage));
  const { stream } = desk;
  const alerts = new Alerts(storage);
  desk.counts.onchange = (n) => alerts.show(n);
  desk.onarrival = () => alerts.sound(performance.now());
  addEventListener('online', () => stream.online());
  addEventListener('offline', () => stream.offline());
  addEventListener('pagehide', () => stream.away());
  addEventListener('pageshow', ({ persisted }) => persisted && stream.visible());
  document.addEventListener('visibilitychange', () => desk.looking.at(document.hidden ? null : (desk.current?.dataset.id ?? null)));
  // the first page of all comments, while somebody sees it
  if (desk.queue.name === 'all' && !new URLSearchParams(location.search).has('cursor')) {
    setInterval(() => !document.hidden && !desk.hasEnded && void desk.poll().catch(() => {}), POLL_MS);
  }
  void desk.counts.ask().catch(() => {});
  stream.start();
}
