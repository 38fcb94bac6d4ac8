/**
 * Stands for bundles.js in the single file, whose digest a page can demand (Subresource Integrity).
 */
const src = /** @type {Partial<HTMLScriptElement> | null} */ (globalThis.document?.currentScript)?.src || '';

export const SCRIPT_ORIGIN = src ? new URL(src).origin : globalThis.location?.origin;
export const isNamed = /\/embed[.\w]*\.js/.test(src);

export const importActions = () => import('./actions/index.js');

export const importDiagnosis = () => import('./diagnosis/index.js');
