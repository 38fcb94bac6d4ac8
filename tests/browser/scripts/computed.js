// What a discussion's elements look like to the browser: for each element its path, and every computed property of it and of
// what is drawn before, after or within it. Equal texts are told once: `looks` names them by their number.
() => {
  const host = document.querySelector('tertulia-discussion');
  const own = [...(host.shadowRoot ?? host).children].filter((one) => one.matches('.all'));
  const texts = new Map();
  const seen = [];
  const number = (text) => texts.get(text) ?? (texts.set(text, texts.size), texts.size - 1);
  const note = (path, element, pseudo) => {
    const style = getComputedStyle(element, pseudo);
    const lines = [...style].filter((name) => !name.startsWith('--')).map((name) => `${name}: ${style.getPropertyValue(name)}`);
    seen.push([`${path}${pseudo ?? ''}`, number(lines.join('\n'))]);
  };
  const walk = (element, path) => {
    note(path, element);
    for (const pseudo of ['::before', '::after']) {
      if (getComputedStyle(element, pseudo).content !== 'none') note(path, element, pseudo);
    }
    if (element.matches('li')) note(path, element, '::marker');
    if (element.matches('input, textarea')) note(path, element, '::placeholder');
    [...element.children].forEach((child, index) => {
      const name = [child.localName, ...child.classList].join('.');
      walk(child, `${path} > ${name}:${index}`);
    });
  };
  for (const one of own) walk(one, one.className);
  return { seen, texts: [...texts.keys()] };
}
