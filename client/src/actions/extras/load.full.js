/**
 * Stands for load.js in the single file.
 */
export const loadExtras = () => import('./index.js');
