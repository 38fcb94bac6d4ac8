/**
 * Times as they read on the page. The server's pages without script write them the same way, from the languages' files.
 *
 * @typedef {'absolute' | 'relative' | 'auto'} Way
 * @typedef {object} Clock
 * @property {(iso: string, now: number) => string} formatTime
 * @property {(iso: string) => string} title The whole of it, in words.
 */

const DAY_MS = 86_400_000;
/** Largest first; a span is given in the first unit it fills. */
const UNITS = /** @type {const} */ ([
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]);
/** @type {Intl.DateTimeFormatOptions} */
const HOURS = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/**
 * @param {string} locale
 * @param {Intl.DateTimeFormatOptions} options
 * @returns {(iso: string) => string}
 */
function formatter(locale, options) {
  const format = new Intl.DateTimeFormat(locale, { numberingSystem: 'latn', ...options });
  /** Many comments share a minute, and formatting takes 10 µs. @type {Record<string, string>} */
  const formatted = {};
  return (iso) => (formatted[iso.slice(0, 16)] ??= format.format(Date.parse(iso)));
}

/** The reader's own zone without one, and where it is no zone. @param {string} [timeZone] */
function zoned(timeZone) {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return { timeZone };
  } catch {
    return {};
  }
}

/** @param {string} language @returns {(iso: string, now: number) => string} */
export function relative(language) {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return (iso, now) => {
    const seconds = Math.min(0, (Date.parse(iso) - now) / 1000);
    for (const [unit, size] of UNITS) {
      if (-seconds >= size) return format.format(Math.trunc(seconds / size), unit);
    }
    return format.format(0, 'second');
  };
}

/**
 * A date is `dd/mm/yy` in Vietnamese, and where the page says so; else it is the language's own with a year of four
 * digits. English is read day first by some and month first by others, so there the month is a word.
 *
 * @param {Way} way `auto` is relative for a day.
 * @param {string} language
 * @param {string} [zone]
 * @param {boolean} [isShort] Whether the page wants `dd/mm/yy`.
 * @returns {Clock}
 */
export function clock(way, language, zone, isShort = language === 'vi') {
  const isEnglish = language === 'en';
  const own = isEnglish ? 'en-GB' : language;
  const inZone = zoned(zone);
  const isWord = isEnglish && !isShort;
  /** @type {Intl.DateTimeFormatOptions} */
  const day = { day: isWord ? 'numeric' : '2-digit', month: isWord ? 'short' : '2-digit', year: isShort ? '2-digit' : 'numeric', ...inZone };
  const locale = isShort ? 'en-GB' : own;
  const moment = formatter(locale, { ...day, ...HOURS });
  // British, since Vietnamese would have the hour first
  const exact = isShort ? (/** @type {string} */ iso) => moment(iso).replace(',', '') : moment;
  const date = formatter(locale, day);
  const span = relative(language);
  return {
    formatTime: (iso, now) =>
      way === 'absolute' ? exact(iso) : way === 'auto' && now - Date.parse(iso) >= DAY_MS ? date(iso) : span(iso, now),
    title: formatter(own, { day: 'numeric', month: 'long', year: 'numeric', ...inZone, ...HOURS }),
  };
}
