/**
 * Stands for loadLetters.js in the single file.
 */
export const loadLetters = () => import('../../page/folding.js');
