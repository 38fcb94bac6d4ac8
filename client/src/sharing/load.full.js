/**
 * Stands for load.js in the single file.
 */
export const loadSharing = () => import('./index.js');
