import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absolute, clock, relative } from '../src/page/time.js';

test('dd/mm/yy HH:MM in a zone', () => {
  assert.equal(absolute('Asia/Ho_Chi_Minh')('2009-09-22T00:05:20.000Z'), '22/09/09 07:05');
  assert.equal(absolute('UTC')('2026-11-24T00:00:00.000Z'), '24/11/26 00:00');
});

test("what is no zone leaves the reader's", () => {
  assert.match(absolute('Nowhere/Land')('2026-11-24T12:00:00.000Z'), /^\d\d\/11\/26 \d\d:\d\d$/);
});

test('relative times, in the language, and never in the future', () => {
  const now = Date.parse('2026-11-24T12:00:00.000Z');
  const english = relative('en');
  const table = { '11:59:50': 'now', '11:58:59': '1 minute ago', '09:00:00': '3 hours ago', '12:03:00': 'now' };
  for (const [time, expected] of Object.entries(table)) assert.equal(english(`2026-11-24T${time}.000Z`, now), expected);
  assert.equal(english('2026-11-23T11:00:00.000Z', now), 'yesterday');
  assert.equal(relative('vi')('2026-11-24T11:59:00.000Z', now), '1 phút trước');
});

test('what is not in the text is in the title', () => {
  const iso = '2026-11-24T05:20:09.123Z';
  assert.equal(clock('absolute', 'en', 'UTC').formatTime(iso, 0), '24/11/26 05:20');
  assert.equal(clock('relative', 'en', 'UTC').title(iso), '24/11/26 05:20');
});
