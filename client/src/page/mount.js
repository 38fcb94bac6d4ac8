/**
 * Where a discussion stands in its element. What the page itself put there stays where it is, since a framework that
 * rendered it may count on it: a shadow root shows it in its slot, or not at all. Without a shadow root the styles hide
 * it, and text, which they cannot reach, is emptied.
 */

export class Mount {
  #host;
  #root;
  /** Of the page. @type {[Text, string][]} */
  #texts = [];

  /** @param {HTMLElement} host @param {ShadowRoot | HTMLElement} root The host itself, without a shadow root. */
  constructor(host, root) {
    this.#host = host;
    this.#root = root;
    this.clear();
  }

  /** Shows this below what the page put there. @param {HTMLElement} element */
  add(element) {
    element.dataset.tertulia = '';
    this.#root.append(element);
  }

  /** Shows this instead. @param {HTMLElement} element */
  fill(element) {
    this.clear();
    if (this.#root !== this.#host) return this.#root.replaceChildren(element);
    this.add(element);
    for (const node of this.#host.childNodes) {
      if (!(node instanceof Text)) continue;
      this.#texts.push([node, node.data]);
      node.data = '';
    }
  }

  /** Shows what the page put there; also one in a copy of the page, as some routers keep it, begins with that. */
  clear() {
    if (this.#root !== this.#host) return this.#root.replaceChildren(document.createElement('slot'));
    for (const own of this.#host.querySelectorAll(':scope > [data-tertulia]')) own.remove();
    for (const [node, text] of this.#texts.splice(0)) node.data = text;
  }
}
