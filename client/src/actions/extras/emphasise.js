/**
 * Marks a selection as strong or emphasised so that it is read so: a mark within a word is text, and one that stands before
 * a blank opens nothing. So blanks at the ends stay outside, and of a word that is cut all is taken.
 */
import { flanking } from './flanking.js';

const START_OF_LINE = /^(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*\s*/;

/**
 * @param {string} value
 * @param {number} start
 * @param {number} end
 * @param {'*' | '**'} mark
 * @returns {{start: number, end: number, text: string, selected: [number, number]}} What stands for `value.slice(start, end)`, and
 *   what of it is selected then.
 */
export function emphasise(value, start, end, mark) {
  const first = value.lastIndexOf('\n', start - 1) + 1;
  let at = first;
  /** @type {{start: number, end: number, mark: string}[]} */
  const pieces = [];
  for (const line of value.slice(first, value.indexOf('\n', end) < 0 ? value.length : value.indexOf('\n', end)).split('\n')) {
    const piece = pieceOf(line, Math.max(0, start - at), Math.min(line.length, end - at), mark);
    if (piece) pieces.push({ start: at + piece.start, end: at + piece.end, mark: piece.mark });
    at += line.length + 1;
  }
  // nothing is selected: what is typed next stands between the marks
  if (!pieces.length) return { start, end: start, text: mark + mark, selected: [start + mark.length, start + mark.length] };
  const [{ start: from, mark: used }] = pieces;
  const to = pieces[pieces.length - 1].end;
  let text = '';
  let written = from;
  for (const piece of pieces) {
    text += value.slice(written, piece.start) + piece.mark + value.slice(piece.start, piece.end) + piece.mark;
    written = piece.end;
  }
  return { start: from, end: to, text, selected: [from + used.length, from + text.length - used.length] };
}

/** @param {string} line @param {number} start @param {number} end @param {'*' | '**'} mark */
function pieceOf(line, start, end, mark) {
  const least = START_OF_LINE.exec(line)?.[0].length ?? 0;
  start = Math.max(start, least);
  end = Math.max(start, end);
  const isCaret = start === end;
  while (start < end && /\s/.test(line[start])) start++;
  while (start < end && /\s/.test(line[end - 1])) end--;
  if (start === end && !(isCaret && isInWord(line, start))) return null;
  const other = mark.replaceAll('*', '_');
  const hasStar = /\*/.test(line.slice(Math.max(0, start - 1), end + 1));
  if (hasStar && !/_/.test(line.slice(Math.max(0, start - 1), end + 1)) && opens(line, start, end, other) && closes(line, start, end, other)) return { start, end, mark: other };
  while (start > least && (start === end || !opens(line, start, end, mark))) start = before(line, start);
  while (end < line.length && !closes(line, start, end, mark)) end = after(line, end);
  return { start, end, mark };
}

/** @param {string} line @param {number} at */
const isInWord = (line, at) => /[\p{L}\p{N}]$/u.test(line.slice(0, at));

/** @param {string} line @param {number} start @param {number} end @param {string} mark */
const opens = (line, start, end, mark) => flanking(line.slice(0, start), mark, line.slice(start, end)).opens;

/** @param {string} line @param {number} start @param {number} end @param {string} mark */
const closes = (line, start, end, mark) => flanking(line.slice(start, end), mark, line.slice(end)).closes;

// by whole characters
/** @param {string} line @param {number} at */
const before = (line, at) => at - (/[\ud800-\udbff][\udc00-\udfff]$/.test(line.slice(0, at)) ? 2 : 1);

/** @param {string} line @param {number} at */
const after = (line, at) => at + (/^[\ud800-\udbff][\udc00-\udfff]/.test(line.slice(at)) ? 2 : 1);
