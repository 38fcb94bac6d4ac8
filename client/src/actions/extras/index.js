/** The third file: what most readers never use. */
export { filterList } from './filter.js';
export { Formatting } from './formatting.js';
export { openReportForm } from './reportForm.js';
export { toSource } from './source.js';
