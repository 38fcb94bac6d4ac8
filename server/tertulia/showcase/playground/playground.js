// The playground: creates an element for each state, does what a reader would do in it, applies switches, keeps the log.
const { setFault, restart, setNextFault, stage, makePassive, activate } = globalThis.playground;

const LOG_LINES = 200;
/** Reply, Delete and More; Edit is the fourth. */
const OTHERS_BUTTONS = 3;
const TICK_MS = 500;
const EVENTS = ['ready', 'state', 'comment', 'unseen', 'post', 'posted', 'post-error', 'auth-required', 'error'];
const BODY = 'I walked there this morning: the *east stairs* are open again.';
const QUERY = 'river';
const DEFAULTS = { theme: '', ground: 'page', lang: '', width: '360', sort: '', composer: '', time: '' };
/** Switches that are attributes of the element. */
const ATTRIBUTES = ['theme', 'lang', 'sort', 'composer', 'time'];

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const form = one('#switches');
const gallery = one('.playground');
const frames = all('.frame');
const visit = Math.random().toString(36).slice(2, 10);

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- the elements -------------------------------------------------------------------------------------------

/** The value of each switch. */
function switchValues() {
  const found = new FormData(form);
  return Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, String(found.get(name) ?? DEFAULTS[name])]));
}

function attributesOf(frame, switches) {
  const { attributes, defaults } = frame.dataset;
  const chosen = Object.fromEntries(ATTRIBUTES.filter((name) => switches[name]).map((name) => [name, switches[name]]));
  return { ...JSON.parse(defaults), ...chosen, ...JSON.parse(attributes) };
}

function keyOf({ dataset: { key } }) {
  return key.endsWith('/empty') ? `${key}/${visit}` : key;
}

function build(frame) {
  const element = document.createElement('tertulia-discussion');
  element.setAttribute('key', keyOf(frame));
  for (const [name, value] of Object.entries(attributesOf(frame, switchValues()))) element.setAttribute(name, value);
  frame.append(element);
  if (frame.dataset.state === 'live') return;
  makePassive(element);
  for (const event of ['pointerdown', 'keydown']) frame.addEventListener(event, () => activate(element), { capture: true });
}

const element = (frame) => one('tertulia-discussion', frame);
const inside = (frame, selector) => one(selector, element(frame).shadowRoot ?? element(frame));

function apply() {
  const switches = switchValues();
  gallery.dataset.width = switches.width;
  gallery.dataset.ground = switches.ground;
  for (const frame of frames) {
    const found = element(frame);
    if (!found) continue;
    const attributes = attributesOf(frame, switches);
    for (const name of ATTRIBUTES) {
      if (attributes[name] === undefined) found.removeAttribute(name);
      else if (found.getAttribute(name) !== attributes[name]) found.setAttribute(name, attributes[name]);
    }
  }
  const query = new URLSearchParams(Object.entries(switches).filter(([name, value]) => value !== DEFAULTS[name]));
  history.replaceState(null, '', `${location.pathname}${query.size ? `?${query}` : ''}${location.hash}`);
  setText(one('#snippet'), snippet(switches));
}

function snippet(switches) {
  const attributes = ATTRIBUTES.filter((name) => switches[name]).map((name) => ` ${name}="${switches[name]}"`);
  const ground = switches.theme ? '\n<style>tertulia-discussion { --tertulia-bg: Canvas }</style>' : '';
  return `<script src="${location.origin}/embed.js" defer></script>
<tertulia-discussion discussion="https://news.example/articles/123"${attributes.join('')}></tertulia-discussion>${ground}`;
}

// ---- what a reader would do ---------------------------------------------------------------------------------

const done = new Set();

function once(frame, work) {
  if (done.has(frame)) return;
  done.add(frame);
  work();
}

function write(frame) {
  const fields = inside(frame, 'form').elements;
  fields.namedItem('name').value = 'You';
  fields.namedItem('body').value = BODY;
  inside(frame, 'form').requestSubmit();
}

/** Whether there is a comment of an earlier visit that waits for approval or can still be edited. */
function hasOwn(frame) {
  const root = element(frame).shadowRoot;
  const rows = all('[part~=actions]', root).map((row) => all(':scope > button:not([hidden])', row).length);
  return one('[part~=badge]:not([hidden])', root) !== null || rows.some((buttons) => buttons > OTHERS_BUTTONS);
}

const SETUPS = {
  sent: (frame) => once(frame, () => hasOwn(frame) || write(frame)),
  queued: (frame) => once(frame, () => write(frame)),
  failed: (frame) => once(frame, () => write(frame)),
  held: (frame) => once(frame, () => hasOwn(frame) || write(frame)),
  reply: (frame) => inside(frame, '[part~=actions] > button').click(),
  search: (frame) => element(frame).search(QUERY),
};

/** Drops what an earlier visit left unsent. */
function forgetUnsent() {
  const names = Object.keys(localStorage).filter((name) => name.startsWith('tertulia:outbox:'));
  for (const name of names) if (/playground\/(queued|closing)$/.test(name)) localStorage.removeItem(name);
}

/** The first comment creates the guest whose token all other elements then find. */
function buildAll() {
  const first = one('.frame[data-state="sent"]');
  const rest = frames.filter((frame) => frame !== first && !element(frame));
  const go = () => {
    for (const frame of rest) if (!element(frame)) build(frame);
  };
  const isKnown = Object.keys(localStorage).some((name) => name.startsWith(`tertulia:token:${location.origin}:`));
  build(first);
  if (isKnown) return go();
  element(first).setAttribute('loading', 'eager');
  for (const event of ['posted', 'post-error', 'error']) first.addEventListener(`tertulia-${event}`, go, { once: true });
}

// ---- the log ------------------------------------------------------------------------------------------------

const log = one('#log');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 1 });

function addToLog(state, name, detail) {
  const line = document.createElement('li');
  line.dataset.state = state;
  const parts = [['time', clock.format(new Date())], ['b', name], ['span', state], ['code', JSON.stringify(detail)]];
  for (const [tag, text] of parts) line.append(Object.assign(document.createElement(tag), { textContent: text }), ' ');
  log.prepend(line);
  while (log.childElementCount > LOG_LINES) log.lastElementChild.remove();
}

function onElementEvent(event) {
  const frame = event.target.closest('.frame');
  if (!frame) return;
  const { state, stage: setup } = frame.dataset;
  addToLog(state, event.type, event.detail);
  if (event.type !== 'tertulia-ready') return;
  if (state === 'paused') element(frame).pause();
  SETUPS[setup]?.(frame);
}

function showProperties() {
  const live = element(one('.frame[data-state="live"]'));
  if (!live) return;
  for (const value of all('[data-property]')) setText(value, String(live[value.dataset.property]));
}

// ---- switches -----------------------------------------------------------------------------------------------

function restore() {
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = name in DEFAULTS ? form.elements.namedItem(name) : null;
    if (field) field.value = value;
  }
}

function fault(name) {
  setFault(name);
  setText(one('#fault-status'), '');
  addToLog('page', 'fault', name);
}

/** Runs after the event, when the fields have their initial values again. */
function reset() {
  setNextFault('');
  fault('none');
  apply();
}

const METHODS = {
  refresh: (live) => live.refresh(),
  pause: (live) => live.pause(),
  play: (live) => live.play(),
  search: (live) => live.search(QUERY),
  'search-none': (live) => live.search(''),
};

function onButton(button) {
  const { once: kind, method } = button.dataset;
  if (method) METHODS[method](element(one('.frame[data-state="live"]')));
  if (kind === 'restart') restart();
  else if (kind) setNextFault(kind);
  if (!kind) return;
  setText(one('#fault-status'), kind === 'restart' ? 'Cut. They come back within five seconds.' : 'Waiting for the next comment.');
  addToLog('page', 'fault', kind);
}

addEventListener('playground-used', ({ detail }) => {
  setText(one('#fault-status'), detail === 'post-fails' ? 'The request got lost.' : 'The answer got lost; the retry makes no second comment.');
});
form.addEventListener('change', ({ target }) => (target.name === 'fault' ? fault(target.value) : apply()));
form.addEventListener('reset', () => setTimeout(reset));
for (const button of all('[data-once], [data-method]')) button.addEventListener('click', () => onButton(button));
one('#log-of').addEventListener('change', ({ target }) => (log.dataset.of = target.value));
for (const name of EVENTS) gallery.addEventListener(`tertulia-${name}`, onElementEvent);

// beside the frames the switches are always open; above them, on a phone, they would cover half of the screen
const isWide = matchMedia('(min-width: 64rem)');
const fold = () => (one('details', form).open = isWide.matches);
isWide.addEventListener('change', fold);

fold();
forgetUnsent();
for (const { dataset } of frames) if (dataset.stage) stage(dataset.key, dataset.stage);
restore();
apply();
buildAll();
setInterval(() => document.hidden || showProperties(), TICK_MS);
