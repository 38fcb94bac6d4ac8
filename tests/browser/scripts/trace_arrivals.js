// Of each comment that comes into the page, the files of the client that led to it: those with a function under way when its
// article is inserted, outermost first, and before them those under way when the timer or frame was asked for that did it.
(() => {
  Error.stackTraceLimit = 200;
  /** What asked for the work that runs now. */
  let cause = [];
  const path = () => [...cause, ...[...new Error().stack.matchAll(/\/client\/src\/([\w/]+\.js)/g)].map(([, file]) => file).reverse()];

  for (const name of ['setTimeout', 'requestAnimationFrame', 'requestIdleCallback', 'queueMicrotask']) {
    const native = window[name];
    window[name] = (work, ...rest) => {
      const asked = path();
      return native((...given) => {
        cause = asked;
        try {
          return work(...given);
        } finally {
          cause = [];
        }
      }, ...rest);
    };
  }

  /** By the text of the comment. */
  window.ways = {};
  const insertions = { insertBefore: Node, appendChild: Node, append: Element, prepend: Element, before: Element, after: Element, replaceChildren: Element };
  for (const [name, { prototype }] of Object.entries(insertions)) {
    const native = prototype[name];
    prototype[name] = function (...given) {
      const result = native.apply(this, given);
      for (const one of given) {
        if (one?.localName === 'article' && one.isConnected) window.ways[one.querySelector('.body').textContent] ??= path();
      }
      return result;
    };
  }
})();
