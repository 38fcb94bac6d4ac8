// What is wider than the window, or shows less than it holds; returns a line for each.
() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  const whole = document.scrollingElement.scrollWidth;
  if (whole > width) found.push(`the page: ${whole} px`);
  const host = document.querySelector('tertulia-discussion');
  for (const element of (host.shadowRoot ?? host).querySelectorAll('*')) {
    if (!element.checkVisibility() || element.closest('.unseen, select')) continue;
    const { left, right, width: own } = element.getBoundingClientRect();
    const what = `${element.localName}.${element.className} ${element.textContent.trim().slice(0, 30)}`;
    if (own && (left < -0.5 || right > width + 0.5)) found.push(`${what}: from ${left} to ${right}`);
    if (getComputedStyle(element).overflowX === 'visible' && !element.matches('button')) continue;
    if (element.scrollWidth > element.clientWidth + 6) found.push(`${what}: cut off at the side`);
    if (element.matches('textarea, .short')) continue; // a long text is folded on purpose
    if (element.scrollHeight > element.clientHeight + 6) found.push(`${what}: cut off below`);
  }
  return found;
}
