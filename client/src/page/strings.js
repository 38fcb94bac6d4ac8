/**
 * The client's sentences. English is built in; another language comes with the snapshot, from the catalogue that the
 * server's own pages use.
 *
 * @import reading from './sentences.js'
 * @import writing from './writingSentences.js'
 * @import reporting from './reportingSentences.js'
 * @import signing from './signingSentences.js'
 * @import rules from './rulesSentences.js'
 *
 * @typedef {keyof typeof reading | keyof typeof writing | keyof typeof reporting | keyof typeof signing | keyof typeof rules} Key
 * @typedef {string | Record<string, string>} Sentence One form, or one for each plural category of CLDR.
 * @typedef {{language: string, direction: 'ltr' | 'rtl', texts: Record<string, Sentence>}} Language
 * @typedef {(key: Key, values?: {n?: number, total?: number, name?: string}) => string} Translate
 */
import sentences from './sentences.js';

/** The sentences of the actions are added when those are loaded. @type {Record<string, Sentence>} */
export const english = { ...sentences };

/**
 * `{n}`, `{total}` and `{name}` are filled in. A sentence that the language lacks is in English.
 *
 * @param {Language | null} [given] Without it: English.
 * @returns {Translate}
 */
export function translator(given) {
  const language = given?.language ?? 'en';
  const plural = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language, { numberingSystem: 'latn' });
  return (key, { n = 0, total = 0, name = '' } = {}) => {
    const found = given?.texts[key] ?? english[key] ?? '';
    const form = typeof found === 'string' ? found : (found[plural.select(n)] ?? found.other);
    return form.replace('{n}', () => number.format(n)).replace('{total}', () => number.format(total)).replace('{name}', () => name);
  };
}
