import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, cleanName, fold, length } from '../src/page/text.js';

test('text is NFC, with one kind of newline and nothing invisible', () => {
  assert.equal(clean('Nguye\u0302\u0303n'), 'Nguyễn');
  assert.equal(clean(' a\r\nb\rc\n\n\n\nd '), 'a\nb\nc\n\nd');
  assert.equal(clean('a\u202eb\u2066c\u200bd\ufeffe\u0000f\u2060g'), 'abcdefg');
});

test('emoji families and Persian keep their joiners', () => {
  for (const text of ['👨‍👩‍👧', 'می‌خواهم', '🇻🇳']) assert.equal(clean(text), text);
});

test('towers of marks are cut: 8 in a text, 4 in a name', () => {
  assert.equal(clean(`x${'\u0333'.repeat(50)}`), `x${'\u0333'.repeat(8)}`);
  assert.equal(cleanName(`x${'\u0333'.repeat(50)}`), `x${'\u0333'.repeat(4)}`);
});

test('a name is one line', () => {
  assert.equal(cleanName('  Mai \n Lan\t'), 'Mai Lan');
});

test('length is in code points', () => {
  assert.equal(length('a😀ễ'), 3);
});

test('comparing disregards accents, case and how letters are composed', () => {
  for (const typed of ['Đặng Thị Hường', 'Đặng Thị Hường'.normalize('NFD'), 'ĐẶNG THỊ HƯỜNG']) {
    assert.equal(fold(typed), 'dang thi huong');
  }
});
