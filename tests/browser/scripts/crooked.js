// Controls that stand over one another, and comments whose edge is not that of the list; returns a line for each.
() => {
  const root = document.querySelector('tertulia-discussion').shadowRoot;
  const found = [];
  const shown = (selector) => [...root.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  for (const row of shown('.bar, .actions, .toolbar, .foot, .pill')) {
    const visible = [...row.children].filter((one) => one.checkVisibility());
    const boxes = visible.map((one) => one.getBoundingClientRect());
    for (const [index, one] of boxes.entries()) for (const other of boxes.slice(index + 1)) {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > 0.5 && down > 0.5) found.push(`${row.className}: ${row.textContent.slice(0, 60)}`);
    }
  }
  for (const one of shown('button')) {
    const isSqueezed = one.scrollHeight > one.clientHeight + 2 || one.scrollWidth > one.clientWidth + 2;
    if (isSqueezed) found.push(`squeezed: ${one.textContent}`);
  }
  const edges = new Set(shown('.chunk > article').flatMap((one) => {
    const { left, right } = one.getBoundingClientRect();
    return [`${Math.round(left)} to ${Math.round(right)}`];
  }));
  if (edges.size !== 1) found.push(`edges: ${[...edges]}`);
  return found;
}
