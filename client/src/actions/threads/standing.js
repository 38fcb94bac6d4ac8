/**
 * Without a shadow root the discussion is a child of the element like those of the page. What takes the page over, or makes it
 * again what a server rendered, takes away each child that it does not know: the discussion is put back.
 *
 * @import { Context } from '../context.js'
 */

/** @param {Context} d */
export function standing({ host, mount, view }) {
  const put = () => view.element.parentNode || mount.fill(view.element);
  const watch = new MutationObserver(put);
  return {
    start() {
      watch.observe(host, { childList: true });
      put();
    },
    stop: () => watch.disconnect(),
  };
}
