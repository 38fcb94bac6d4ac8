/**
 * Stands for loadSigning.js in the single file.
 */
export const loadSigning = () => import('../../signing/index.js');
