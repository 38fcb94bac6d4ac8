/**
 * Stands for load.js in the single file.
 */
export const loadThreads = () => import('./index.js');
