import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, relative } from '../src/page/time.js';

const EARLY = '2026-11-24T05:20:09.123Z';
const at = (/** @type {string} */ language, zone = 'UTC', /** @type {boolean | undefined} */ isShort = undefined) => clock('absolute', language, zone, isShort).formatTime(EARLY, 0);

test('dd/mm/yy HH:MM in Vietnamese, and wherever the page wants it', () => {
  assert.equal(at('vi', 'Asia/Ho_Chi_Minh'), '24/11/26 12:20');
  assert.equal(at('ja', 'UTC', true), '24/11/26 05:20');
  assert.equal(clock('absolute', 'en', 'UTC', true).formatTime('2026-11-24T00:00:00.000Z', 0), '24/11/26 00:00');
});

test('elsewhere the own form of the language, with all of the year', () => {
  assert.equal(at('en'), '24 Nov 2026, 05:20');
  assert.equal(at('de'), '24.11.2026, 05:20');
  assert.equal(at('ja'), '2026/11/24 05:20');
});

test("what is no zone leaves the reader's", () => {
  assert.match(at('vi', 'Nowhere/Land'), /^\d\d\/11\/26 \d\d:\d\d$/);
});

test('relative times, in the language, and never in the future', () => {
  const now = Date.parse('2026-11-24T12:00:00.000Z');
  const english = relative('en');
  const table = { '11:59:50': 'now', '11:58:59': '1 minute ago', '09:00:00': '3 hours ago', '12:03:00': 'now' };
  for (const [time, expected] of Object.entries(table)) assert.equal(english(`2026-11-24T${time}.000Z`, now), expected);
  assert.equal(english('2026-11-23T11:00:00.000Z', now), 'yesterday');
  assert.equal(relative('vi')('2026-11-24T11:59:00.000Z', now), '1 phút trước');
});

test('relative for a day, and then a date', () => {
  const { formatTime } = clock('auto', 'en', 'UTC');
  const after = (/** @type {number} */ ms) => formatTime(EARLY, Date.parse(EARLY) + ms);
  assert.equal(after(0), 'now');
  assert.equal(after(86_399_999), '23 hours ago');
  assert.equal(after(86_400_000), '24 Nov 2026');
  assert.equal(after(-60_000), 'now');
  assert.equal(clock('auto', 'vi', 'UTC').formatTime(EARLY, Date.parse(EARLY) + 1e9), '24/11/26');
  assert.match(clock('relative', 'en', 'UTC').formatTime(EARLY, Date.parse(EARLY) + 1e9), /ago$/);
});

test('the whole moment, in words, is the title', () => {
  for (const way of /** @type {const} */ (['absolute', 'relative', 'auto'])) assert.equal(clock(way, 'en', 'UTC').title(EARLY), '24 November 2026 at 05:20');
  assert.equal(clock('absolute', 'ja', 'UTC', true).title(EARLY), '2026年11月24日 05:20');
});
