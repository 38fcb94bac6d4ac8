/** The second file: what is needed once the comments are there. */
import css from './actions.css';
import sentences from './sentences.js';

export { Actions } from './actions.js';
export { css, sentences };
