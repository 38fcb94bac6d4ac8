/**
 * For comparing: without case, accents and the ways in which one sign is written. What the server's core/folding.py does,
 * with the same table.
 */
import table from './foldingTable.js';

/** @type {Map<string, string> | undefined} */
let letters;

/** @param {string} text */
function plain(text) {
  letters ??= new Map(Object.entries(table.letters).flatMap(([one, alike]) => [...alike].map((letter) => [letter, one])));
  return Array.from(text, (letter) => letters?.get(letter) ?? letter).join('');
}

/** @param {string} text */
export function fold(text) {
  const dropped = new RegExp(`[${table.dropped}]+`, 'g');
  return plain(plain(text).normalize('NFKD').replace(dropped, '').toLowerCase()).normalize('NFC');
}
