/** The fourth file: what threads that fold and readers who come back need. */
import css from './threads.css';

export { css };
export { Folding } from './folding.js';
export { FormLink } from './formLink.js';
export { goBack } from './place.js';
export { Unread } from './unread.js';
export { Leaving } from './leaving.js';
