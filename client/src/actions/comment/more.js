/** The fourth file: what few readers do to a comment, and who they are where the page knows it. */
export { Deletion } from './deletion.js';
export { Member } from '../extras/member.js';
export { toggleMenu } from '../extras/menu.js';
export { openReportForm } from '../extras/reportForm.js';
export { exchange } from '../extras/session.js';
