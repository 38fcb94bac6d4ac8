/**
 * Signing in at a provider or by mail, a file of its own that the fourth one imports when somebody asks for it.
 *
 * @import * as signing from '../../signing/index.js'
 */
import { loading } from './loading.js';

/** @type {() => Promise<typeof signing>} */
export const loadSigning = loading(SIGN_FILE);
