/** The third file: what few readers do with texts. */
export { openEditForm, quote } from './editForm.js';
export { filterList } from './filter.js';
export { Formatting } from './formatting.js';
