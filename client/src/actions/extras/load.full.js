/**
 * Stands for load.js in the single file.
 */
export const loadExtras = () => import('./index.js');
export const loadMore = () => import('../comment/more.js');
