/** @typedef {{formatTime: (iso: string, now: number) => string, title: (iso: string) => string | undefined}} Clock */

/** Largest first; a span is given in the first unit it fills. */
const UNITS = /** @type {const} */ ([
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]);

/**
 * `dd/mm/yy HH:MM` in a time zone. British, since `Intl` for Vietnamese would print the hour first.
 *
 * @param {string} [zone] The reader's own without it, and where it is no zone.
 * @returns {(iso: string) => string}
 */
export function absolute(zone) {
  const format = formatter(zone);
  /** Many comments share a minute, and formatting takes 10 µs. @type {Record<string, string>} */
  const formatted = {};
  return (iso) => (formatted[iso.slice(0, 16)] ??= format.format(Date.parse(iso)).replace(',', ''));
}

/** @param {string} [zone] */
function formatter(zone) {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = {
    day: '2-digit',
    month: '2-digit',
    year: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  };
  try {
    return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone || undefined });
  } catch {
    return new Intl.DateTimeFormat('en-GB', options);
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
 * How times read on the page: where the text is relative, the title is exact.
 *
 * @param {'absolute' | 'relative'} way
 * @param {string} language
 * @param {string} [zone]
 * @returns {Clock}
 */
export function clock(way, language, zone) {
  const exact = absolute(zone);
  if (way !== 'relative') return { formatTime: exact, title: () => undefined };
  return { formatTime: relative(language), title: exact };
}
