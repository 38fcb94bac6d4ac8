// Runs before the page's own scripts. `held()` tells how many sockets, timers, intervals, listeners and observers there
// are that nobody ended.
window.open_ = { sockets: new Set(), timers: new Set(), intervals: new Set(), listeners: 0, observers: new Set() };
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    open_.sockets.add(this);
    this.addEventListener('close', () => open_.sockets.delete(this));
  }
  close(...given) { open_.sockets.delete(this); super.close(...given); }
};
const { setTimeout: begin, clearTimeout: end, setInterval: repeat, clearInterval: stop } = window;
window.setTimeout = (work, ms, ...given) => {
  const timer = begin(() => { open_.timers.delete(timer); work(...given); }, ms);
  open_.timers.add(timer);
  return timer;
};
window.clearTimeout = (timer) => { open_.timers.delete(timer); end(timer); };
window.setInterval = (...given) => { const timer = repeat(...given); open_.intervals.add(timer); return timer; };
window.clearInterval = (timer) => { open_.intervals.delete(timer); stop(timer); };
// the driver of the browser listens, too
const isOurs = (name) => !/^(__playwright|mouse|pointer|touch|click|auxclick|dblclick|contextmenu)/.test(name);
for (const target of [window, document]) {
  const add = target.addEventListener.bind(target), remove = target.removeEventListener.bind(target);
  target.addEventListener = (name, work, options) => {
    if (!isOurs(name)) return add(name, work, options);
    if (options?.signal?.aborted) return;
    open_.listeners++;
    options?.signal?.addEventListener('abort', () => open_.listeners--);
    add(name, work, options);
  };
  target.removeEventListener = (name, ...given) => {
    if (isOurs(name)) open_.listeners--;
    remove(name, ...given);
  };
}
window.IntersectionObserver = class extends IntersectionObserver {
  observe(element) { open_.observers.add(this); super.observe(element); }
  disconnect() { open_.observers.delete(this); super.disconnect(); }
};
window.held = () => ({
  sockets: open_.sockets.size,
  timers: open_.timers.size,
  intervals: open_.intervals.size,
  listeners: open_.listeners,
  observers: open_.observers.size,
});
