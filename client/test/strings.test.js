import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, speaker } from '../src/strings.js';

test('both languages have the same sentences, with the same blanks', () => {
  const { en, vi } = /** @type {Record<string, Record<string, string | string[]>>} */ (languages);
  assert.deepEqual(Object.keys(vi).sort(), Object.keys(en).sort());
  const blanks = (/** @type {string | string[]} */ text) => new Set([text].flat().join().match(/\{\w+\}/g));
  for (const key of Object.keys(en)) assert.deepEqual(blanks(vi[key]), blanks(en[key]), key);
});

test('English has one and other, Vietnamese one form', () => {
  assert.equal(speaker('en-GB')('pill', { n: 1 }), '1 new comment');
  assert.equal(speaker('en')('pill', { n: 2 }), '2 new comments');
  assert.equal(speaker('vi')('pill', { n: 1 }), '1 bình luận mới');
});

test('the headings of the page', () => {
  assert.equal(speaker('en')('heading', { n: 10 }), 'All comments [ 10 ]');
  assert.equal(speaker('vi-VN')('heading', { n: 1234 }), 'Tất cả bình luận [ 1.234 ]');
  assert.equal(speaker('vi')('compose'), 'Bình luận của bạn');
});

test('a language that there is not is English, and a name is not a pattern', () => {
  assert.equal(speaker('fr')('replyTo', { name: '$& {n}' }), 'Reply to $& {n}');
  assert.equal(speaker('constructor')('reply'), 'Reply');
});
