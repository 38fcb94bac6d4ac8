/** Signing in: the page's part, and the panel in which the element offers it. */
export { storage } from '../page/storage.js';
export { Panel } from './panel.js';
export { SignIn } from './signIn.js';
