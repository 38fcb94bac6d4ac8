/**
 * Stands for load.js in the single file.
 */
export const loadAbout = () => import('./index.js');
