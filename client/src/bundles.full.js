/**
 * Stands for bundles.js in the single file, whose digest a page can demand (Subresource Integrity).
 */
const script = /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript);

export const SCRIPT_ORIGIN = script?.src ? new URL(script.src).origin : globalThis.location?.origin;

export const importActions = () => import('./actions/index.js');
