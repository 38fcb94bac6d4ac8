// C0 and C1 controls except newline and tab, zero-width space, word joiner, BOM, bidi overrides and isolates.
// ZWJ and ZWNJ stay: emoji families and Persian need them.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text as it is sent: NFC, one kind of newline, no invisible controls, no towers of marks (the longest real
 * cluster is Tibetan, 1 + 8).
 *
 * @param {string} text
 */
export function clean(text) {
  return text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(UNSEEN, '')
    .replace(/(\p{M}{8})\p{M}+/gu, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A name: one line, and at most 4 marks on a letter. @param {string} text */
export function cleanName(text) {
  return clean(text)
    .replace(/\s+/g, ' ')
    .replace(/(\p{M}{4})\p{M}+/gu, '$1');
}

/** Length in code points, as the server counts. @param {string} text */
export function length(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export { fold } from './folding.js';
