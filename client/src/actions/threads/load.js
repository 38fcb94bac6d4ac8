/**
 * The fourth file: what threads and readers who come back need. It is loaded once the second is there.
 *
 * @import * as threads from './index.js'
 */
import { loading } from '../extras/loading.js';

/** @type {() => Promise<typeof threads>} */
export const loadThreads = loading(THREADS_FILE);
