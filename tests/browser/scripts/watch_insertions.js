// `window.stoodStill` becomes the longest time in milliseconds in which the window could do nothing else until so many
// comments have come into the list, and have been drawn. Looking for them among all would take longer than they do.
(list, expected) => {
  let last = performance.now(), longest = 0, isDrawn = false;
  const come = new Set();
  const observer = new MutationObserver((changes) => {
    for (const element of changes.flatMap((change) => [...change.addedNodes])) {
      if (element.localName === 'article') come.add(element);
      for (const article of element.querySelectorAll?.('article') ?? []) come.add(article);
    }
    if (come.size < expected) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { isDrawn = true }));
  });
  const tick = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (isDrawn) window.stoodStill = longest;
    else setTimeout(tick);
  };
  window.stoodStill = undefined;
  observer.observe(list, {childList: true, subtree: true});
  tick();
}
