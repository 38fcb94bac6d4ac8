/**
 * Reads a discussion: at first, again after a failure, and anew when the stream cannot go on from where it was.
 *
 *     loading ── snapshot ──▶ ready ── read anew, in place ──▶ ready
 *        └─ failure ──▶ error ── back-off, "Try again" ──▶ loading
 *
 * @import { Discussion } from './discussion.js'
 * @import { Snapshot, Sort } from './live/wire.js'
 */
import { ApiError } from './live/api.js';
import { Backoff } from './live/backoff.js';
import { button, h } from './page/dom.js';
import { translator } from './page/strings.js';

/** Readers whose stream ended together do not ask together. */
const SPREAD_MS = 1000;

/** The item that keeps the sentences of a language, for when the server cannot be reached. @param {Discussion} d */
export const languageItem = ({ settings }) => `tertulia:language:${settings.language}`;

/** @param {Discussion} d @param {(snapshot: Snapshot, sort: Sort) => void} show */
export function loader(d, show) {
  const backoff = new Backoff(Math.random, { base: 1000 });
  const notice = h('div', { part: 'skeleton', class: 'skeleton' });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  /** Only the newest request for everything counts. */
  let newest = 0;

  async function load() {
    clearTimeout(retry);
    if (d.phase !== 'ready') showSkeleton();
    const { sort, max, language } = d.settings;
    const request = ++newest;
    const isOver = () => d.signal.aborted || request !== newest;
    try {
      const snapshot = await d.api.snapshot(sort, max, language);
      if (isOver()) return;
      backoff.reset();
      show(snapshot, sort);
    } catch (error) {
      if (isOver()) return;
      showError(/** @type {ApiError} */ (error));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function showSkeleton() {
    d.phase = 'loading';
    if (d.host.firstElementChild) return;
    notice.replaceChildren();
    d.mount.add(notice);
  }

  /** @param {ApiError} error */
  function showError({ status, code }) {
    retry = setTimeout(load, backoff.next() + 2000);
    d.emit('error', { error: { status, code } });
    if (d.phase === 'ready') return;
    d.phase = 'error';
    d.diagnose({ status, code });
    const language = d.storage.json(languageItem(d));
    if (language?.texts) d.t = translator(language);
    notice.replaceChildren(d.t('load_error'), ' ', button(d.t('try_again'), 'again', load));
    d.mount.add(notice);
  }

  return {
    load,
    /** Everything, after a moment that spreads the readers. */
    reload() {
      retry = setTimeout(load, Math.random() * SPREAD_MS);
    },
    stop: () => clearTimeout(retry),
  };
}
