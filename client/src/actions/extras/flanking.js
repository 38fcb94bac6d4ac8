/**
 * Where marks of emphasis open and close: what the server's core/flanking.py says, which a test compares.
 */
const UNSPACED =
  /[\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u231a-\u23ff\u2600-\u27bf\u2e80-\u2fff\u3001-\u303f\u3041-\ua4cf\ua960-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uffef\u{16fe0}-\u{18fff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1fbff}\u{20000}-\u{3ffff}]/u;
const THROUGH = '[\\u061c\\u200c-\\u200f\\ufe0e\\ufe0f]{0,7}';
const BEFORE = new RegExp(`([^])${THROUGH}$`, 'u');
const AFTER = new RegExp(`^${THROUGH}([^])`, 'u');

/** @param {string} c @returns {'blank' | 'unspaced' | 'punctuation' | 'word'} */
const kind = (c) => (/\s/.test(c) ? 'blank' : UNSPACED.test(c) ? 'unspaced' : /[\p{P}\p{S}]/u.test(c) ? 'punctuation' : 'word');

/**
 * Whether a mark between these texts can open emphasis, and close it.
 *
 * @param {string} before
 * @param {string} mark
 * @param {string} after
 */
export function flanking(before, mark, after) {
  const [, left] = BEFORE.exec(before.slice(-9)) ?? ['', ' '];
  const [, right] = AFTER.exec(after) ?? ['', ' '];
  const [l, r] = [kind(left), kind(right)];
  const isName = mark[0] === '_';
  if ((l === 'word' && r === 'word') || (isName && /[\p{L}\p{N}]/u.test(left) && /[\p{L}\p{N}]/u.test(right))) return { opens: false, closes: false };
  const isEnd = /[,;:!?。、，；：！？।॥،؛؟۔\p{Pe}]/u.test(right);
  const isBeginning = /[¿¡\p{Ps}]/u.test(left);
  return {
    opens: r !== 'blank' && !(r === 'punctuation' && l === 'word') && !(isEnd && (l === 'unspaced' || isBeginning))
      && !(isName && kind(/([^])[.=\\@]$/u.exec(before)?.[1] ?? ' ') === 'word'),
    closes: l !== 'blank' && !(l === 'punctuation' && r === 'word') && !(isBeginning && (r === 'unspaced' || isEnd))
      && !(isName && /^(?:[.:/\\@=-]+[\p{L}\p{N}]|[([])/u.test(after)),
  };
}
