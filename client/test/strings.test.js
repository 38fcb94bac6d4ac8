import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import writing from '../src/page/writingSentences.js';
import reading from '../src/page/sentences.js';
import { english, translator } from '../src/page/strings.js';

/** @type {import('../src/page/strings.js').Language} */
const arabic = {
  language: 'ar',
  direction: 'rtl',
  texts: { new_comments: { zero: 'صفر', one: 'واحد', two: 'اثنان', few: '{n} تعليقات', many: '{n} تعليقًا', other: '{n} تعليق' } },
};

test('English is what the catalogue of the server says', () => {
  const catalogue = JSON.parse(readFileSync(new URL('../../server/tertulia/languages/en.json', import.meta.url), 'utf8'));
  assert.deepEqual(reading, catalogue.reading);
  assert.deepEqual(writing, catalogue.writing);
});

test('the form of a sentence is that of its number', () => {
  assert.equal(translator()('new_comments', { n: 1 }), '1 new comment');
  assert.equal(translator()('new_comments', { n: 2 }), '2 new comments');
  const forms = [0, 1, 2, 3, 11, 100].map((n) => translator(arabic)('new_comments', { n }));
  assert.deepEqual(forms, ['صفر', 'واحد', 'اثنان', '3 تعليقات', '11 تعليقًا', '100 تعليق']);
});

test('numbers are grouped as the language does', () => {
  const t = translator({ language: 'vi', direction: 'ltr', texts: { all_comments: 'Tất cả bình luận [ {n} ]' } });
  assert.equal(t('all_comments', { n: 1234 }), 'Tất cả bình luận [ 1.234 ]');
  assert.equal(translator()('all_comments', { n: 1234 }), 'All comments [ 1,234 ]');
});

test('what a language lacks is said in English, and a name is not a pattern', () => {
  assert.equal(translator(arabic)('reply_to', { name: '$& {n}' }), 'Reply to $& {n}');
});

test('what comes with the second file is known from then on', () => {
  const t = translator();
  assert.equal(t('undo'), '');
  Object.assign(english, writing);
  assert.equal(t('undo'), 'Undo');
});
