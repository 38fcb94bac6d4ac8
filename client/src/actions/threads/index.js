/** The fourth file: what threads that fold, readers who come back and those without a mouse need. */
import css from './threads.css';

export { css };
export { Folding } from './folding.js';
export { FormLink } from './formLink.js';
export { Identity } from './identity.js';
export { LongTexts } from './longTexts.js';
export { MoreReplies } from './moreReplies.js';
export { keyboard } from './keyboard.js';
export { goBack } from './place.js';
export { Unread } from './unread.js';
export { Leaving } from './leaving.js';
export { standing } from './standing.js';
