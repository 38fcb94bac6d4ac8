// Draws the colours of the element and what is behind it over one another on a canvas: it reads `color-mix` and alpha,
// which axe does not. Text is compared with what is behind it, the borders of fields with what is around them.
// Returns [{ kind: 'text' | 'border', what, ratio }].
() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.background = 'Canvas';
  const paper = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const chain = (element) => {
    const found = [];
    for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) found.unshift(one);
    return found;
  };
  const paint = (layers) => {
    for (const [colour, alpha] of layers) {
      pen.globalAlpha = alpha;
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const ground = (one) => [getComputedStyle(one).backgroundColor, 1];
  const behind = (element) => [[paper, 1], ...chain(element).map(ground)];
  const opacity = (element) => chain(element).reduce((all, one) => all * getComputedStyle(one).opacity, 1);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const root = document.querySelector('tertulia-discussion').shadowRoot;
  const results = [];
  const note = (kind, element, colour, alpha, layers) => results.push({
    kind, what: `${element.localName}.${element.className} ${element.textContent.trim().slice(0, 30)}`,
    ratio: ratio(paint([...layers, [colour, alpha]]), paint(layers)),
  });
  const text = (element, { color }, alpha) => note('text', element, color, alpha, behind(element));
  for (const element of root.querySelectorAll('*')) {
    if (!element.checkVisibility({ contentVisibilityAuto: false }) || element.matches('.unseen, style')) continue;
    const style = getComputedStyle(element);
    const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (isText || element.value) text(element, style, opacity(element));
    const hint = getComputedStyle(element, '::placeholder');
    if (element.placeholder) text(element, hint, hint.opacity);
    if (!element.matches('input:not([type=radio]), textarea, .submit, .preview')) continue;
    note('border', element, style.borderTopColor, 1, behind(element.parentElement));
  }
  return results;
}
