/**
 * Makes an element from its tag, attributes, listeners (`onclick`) and children. A part, which pages can style, also has
 * its name as a class. Nothing here parses HTML or writes a style attribute, so a strict Content-Security-Policy and
 * Trusted Types have nothing to refuse.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  if (properties.part) properties = { class: properties.part, ...properties };
  for (const [name, value] of Object.entries(properties)) {
    if (value && name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | undefined} value False and undefined take the attribute away.
 */
export function setAttribute(element, name, value) {
  if (value === false || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * Writes only what differs: an unchanged text node keeps selections and screen readers undisturbed.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * The labelled button that everything uses.
 *
 * @param {string} text
 * @param {string} part
 * @param {(event: Event) => void} [onclick]
 * @param {Record<string, any>} [properties]
 */
export function button(text, part, onclick, properties = {}) {
  return h('button', { type: 'button', part, onclick, ...properties }, text);
}
