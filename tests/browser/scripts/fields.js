// All fields of a page that one types into or chooses from, also within shadow roots: what each is, and the size of its letters in pixels.
() => {
  const all = [];
  const collect = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.matches('input:not([type=hidden], [type=radio], [type=checkbox]), select, textarea')) all.push(one);
      if (one.shadowRoot) collect(one.shadowRoot);
    }
  };
  collect(document);
  const size = (one) => parseFloat(getComputedStyle(one).fontSize);
  return all.map((one) => [`${one.localName} ${one.className} ${one.name}`, size(one)]);
}
