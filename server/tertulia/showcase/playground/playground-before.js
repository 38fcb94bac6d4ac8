// Runs before the client: a network that can be broken, staged answers, and elements that only show a state and may
// neither scroll the page nor take the focus. The real fetch, WebSocket and EventSource do the work.
(() => {
  const API = '/api/v1';
  const SLOW_MS = 3000;
  const REFUSED_MS = 20;
  const RESTARTING = 1012;
  const ABNORMAL = 1006;
  /** The discussion whose posts fail on demand; the others show states and post when their state needs it. */
  const LIVE = 'playground/live';

  const realFetch = globalThis.fetch.bind(globalThis);
  const isReallyOnline = () => Object.getOwnPropertyDescriptor(Navigator.prototype, 'onLine').get.call(navigator);
  /** How to close each open stream, with a code. @type {Set<(code: number) => void>} */
  const streams = new Set();
  /** What is staged in the discussion of a key: 'loading', 'error', 'queued', 'failed' or 'waiting'. @type {Map<string, string>} */
  const staged = new Map();
  /** The seq from which a discussion is shown, by its key. @type {Map<string, number>} */
  const startSeqs = new Map();
  let fault = 'none';
  /** @type {'' | 'post-fails' | 'answer-lost'} */
  let nextFault = '';

  // ---- faults -----------------------------------------------------------------------------------------------

  const isOffline = () => fault === 'offline';
  const refusesSockets = () => fault === 'socket' || fault === 'streams' || isOffline();
  const refusesEvents = () => fault === 'streams' || isOffline();
  const networkError = () => new TypeError('The playground let this request fail.');
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function setFault(name) {
    const wasOffline = isOffline();
    fault = name;
    if (isOffline() !== wasOffline) dispatchEvent(new Event(isOffline() ? 'offline' : 'online'));
    if (fault !== 'none' && fault !== 'slow') closeStreams(ABNORMAL);
  }

  function closeStreams(code) {
    for (const end of [...streams]) end(code);
  }

  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => !isOffline() && isReallyOnline() });

  // ---- fetch ------------------------------------------------------------------------------------------------

  globalThis.fetch = async (resource, init = {}) => {
    const url = new URL(resource instanceof Request ? resource.url : resource, location.href);
    if (!url.pathname.startsWith(`${API}/`)) return realFetch(resource, init);
    if (isOffline()) throw networkError();
    if (fault === 'slow') await pause(SLOW_MS);
    const isPost = init.method === 'POST' && url.pathname === `${API}/comments`;
    if (isPost) return post(url, init);
    if (url.pathname === `${API}/discussion`) return snapshot(url, init);
    return realFetch(url, init);
  };

  async function post(url, init) {
    const { key } = JSON.parse(init.body);
    if (staged.get(key) === 'queued') throw networkError();
    const injected = key === LIVE ? nextFault : '';
    if (injected) {
      nextFault = '';
      dispatchEvent(new CustomEvent('playground-used', { detail: injected }));
    }
    if (injected === 'post-fails') throw networkError();
    const answer = await realFetch(url, init);
    if (injected === 'answer-lost') throw networkError();
    return answer;
  }

  async function snapshot(url, init) {
    const key = url.searchParams.get('key');
    const stage = staged.get(key);
    if (stage === 'loading') return new Promise(() => {});
    if (stage === 'error') return json({ code: 'unavailable', status: 503, detail: 'Staged by the playground.' }, 503);
    const answer = await realFetch(url, init);
    if (!answer.ok || (stage !== 'failed' && stage !== 'waiting')) return answer;
    const found = await answer.json();
    if (stage === 'failed') found.discussion.mode = 'open';
    else await rewind(found, key);
    return json(found, 200);
  }

  // Back to before the last few comments: the stream resumes there, and the server sends them.
  async function rewind(found, key) {
    const back = Number(document.querySelector('[data-waiting]').dataset.waiting);
    const after = startSeqs.get(key) ?? Math.max(0, found.discussion.seq - back);
    startSeqs.set(key, after);
    const query = new URLSearchParams({ site: found.discussion.site, key, epoch: found.discussion.epoch, after });
    const { events } = await (await realFetch(`${API}/events?${query}`)).json();
    const later = new Set(events.filter(({ kind }) => kind === 'comment.created').map(({ comment }) => comment.id));
    found.comments = found.comments.filter(({ id }) => !later.has(id));
    found.discussion.comment_count -= later.size;
    found.discussion.seq = after;
  }

  function json(content, status) {
    return new Response(JSON.stringify(content), { status, headers: { 'Content-Type': 'application/json' } });
  }

  // ---- streams ----------------------------------------------------------------------------------------------

  globalThis.WebSocket = new Proxy(WebSocket, {
    construct(Real, given) {
      if (refusesSockets()) return refusal((stub) => stub.onclose?.({ code: ABNORMAL, reason: '' }));
      const socket = new Real(...given);
      const end = (code) => {
        streams.delete(end);
        const { onclose } = socket;
        socket.onmessage = socket.onclose = socket.onerror = null;
        socket.close();
        onclose?.({ code, reason: '' });
      };
      streams.add(end);
      socket.addEventListener('close', () => streams.delete(end));
      return socket;
    },
  });

  globalThis.EventSource = new Proxy(EventSource, {
    construct(Real, given) {
      if (refusesEvents()) return refusal((stub) => stub.onerror?.());
      const source = new Real(...given);
      const close = source.close.bind(source);
      const end = () => {
        streams.delete(end);
        source.onerror?.();
      };
      source.close = () => {
        streams.delete(end);
        close();
      };
      streams.add(end);
      return source;
    },
  });

  function refusal(report) {
    const stub = { close: () => clearTimeout(timer), send() {}, readyState: 3 };
    const timer = setTimeout(() => report(stub), REFUSED_MS);
    return stub;
  }

  // ---- passive elements -------------------------------------------------------------------------------------

  /** Elements that only show a state, until somebody clicks or types in them. @type {WeakSet<Element>} */
  const passive = new WeakSet();

  function isPassive(element) {
    const root = element.getRootNode();
    const host = root instanceof ShadowRoot ? root.host : element.closest('tertulia-discussion');
    return host !== null && passive.has(host);
  }

  for (const [prototype, name] of [[Element.prototype, 'scrollIntoView'], [HTMLElement.prototype, 'focus']]) {
    const real = prototype[name];
    prototype[name] = function (...given) {
      if (!isPassive(this)) real.apply(this, given);
    };
  }

  globalThis.playground = {
    setFault,
    restart: () => closeStreams(RESTARTING),
    setNextFault: (name) => (nextFault = name),
    stage: (key, stage) => staged.set(key, stage),
    makePassive: (element) => passive.add(element),
    activate: (element) => passive.delete(element),
  };
})();
