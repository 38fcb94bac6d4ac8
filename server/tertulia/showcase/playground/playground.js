// The playground: makes an element for each state, does by hand what a state needs, follows the switches, and keeps the log.
const { setFault, restart, setNext, stage, calm, wake } = globalThis.playground;

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

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- the elements -------------------------------------------------------------------------------------------

/** What the switches say, without what is the default. */
function chosen() {
  const found = new FormData(form);
  return Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, String(found.get(name) ?? DEFAULTS[name])]));
}

function attributesOf(frame, switches) {
  const { attributes, otherwise } = frame.dataset;
  const given = Object.fromEntries(ATTRIBUTES.filter((name) => switches[name]).map((name) => [name, switches[name]]));
  return { ...JSON.parse(otherwise), ...given, ...JSON.parse(attributes) };
}

function keyOf({ dataset: { key } }) {
  return key.endsWith('/empty') ? `${key}/${visit}` : key;
}

function build(frame) {
  const element = document.createElement('tertulia-discussion');
  element.setAttribute('key', keyOf(frame));
  for (const [name, value] of Object.entries(attributesOf(frame, chosen()))) element.setAttribute(name, value);
  frame.append(element);
  if (frame.dataset.state === 'live') return;
  calm(element);
  for (const event of ['pointerdown', 'keydown']) frame.addEventListener(event, () => wake(element), { capture: true });
}

const element = (frame) => one('tertulia-discussion', frame);
const inside = (frame, selector) => one(selector, element(frame).shadowRoot ?? element(frame));

function apply() {
  const switches = chosen();
  gallery.dataset.width = switches.width;
  gallery.dataset.ground = switches.ground;
  for (const frame of frames) {
    const found = element(frame);
    if (!found) continue;
    const given = attributesOf(frame, switches);
    for (const name of ATTRIBUTES) {
      if (given[name] === undefined) found.removeAttribute(name);
      else if (found.getAttribute(name) !== given[name]) found.setAttribute(name, given[name]);
    }
  }
  const query = new URLSearchParams(Object.entries(switches).filter(([name, value]) => value !== DEFAULTS[name]));
  history.replaceState(null, '', `${location.pathname}${query.size ? `?${query}` : ''}${location.hash}`);
  say(one('#snippet'), snippet(switches));
}

function snippet(switches) {
  const attributes = ATTRIBUTES.filter((name) => switches[name]).map((name) => ` ${name}="${switches[name]}"`);
  const ground = switches.theme ? '\n<style>tertulia-discussion { --tertulia-bg: Canvas }</style>' : '';
  return `<script src="${location.origin}/embed.js" defer></script>
<tertulia-discussion key="https://news.example/articles/123"${attributes.join('')}></tertulia-discussion>${ground}`;
}

// ---- what is done by hand -----------------------------------------------------------------------------------

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

/** Whether a comment of an earlier visit will do: one that waits for approval, or can be edited still. */
function hasOwn(frame) {
  const root = element(frame).shadowRoot;
  const rows = all('[part~=actions]', root).map((row) => all(':scope > button:not([hidden])', row).length);
  return one('[part~=badge]:not([hidden])', root) !== null || rows.some((buttons) => buttons > OTHERS_BUTTONS);
}

const BY_HAND = {
  sent: (frame) => once(frame, () => hasOwn(frame) || write(frame)),
  queued: (frame) => once(frame, () => write(frame)),
  failed: (frame) => once(frame, () => write(frame)),
  held: (frame) => once(frame, () => hasOwn(frame) || write(frame)),
  reply: (frame) => inside(frame, '[part~=actions] > button').click(),
  search: (frame) => element(frame).search(QUERY),
};

/** Texts that were not sent at an earlier visit are not of this one. */
function forgetUnsent() {
  const names = Object.keys(localStorage).filter((name) => name.startsWith('tertulia:outbox:'));
  for (const name of names) if (/playground\/(queued|closing)$/.test(name)) localStorage.removeItem(name);
}

/** The first comment makes the guest whom all the others are to know. */
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

function note(state, name, detail) {
  const line = document.createElement('li');
  line.dataset.state = state;
  const parts = [['time', clock.format(new Date())], ['b', name], ['span', state], ['code', JSON.stringify(detail)]];
  for (const [tag, text] of parts) line.append(Object.assign(document.createElement(tag), { textContent: text }), ' ');
  log.prepend(line);
  while (log.childElementCount > LOG_LINES) log.lastElementChild.remove();
}

function told(event) {
  const frame = event.target.closest('.frame');
  if (!frame) return;
  const { state, stage: how } = frame.dataset;
  note(state, event.type, event.detail);
  if (event.type !== 'tertulia-ready') return;
  if (state === 'paused') element(frame).pause();
  BY_HAND[how]?.(frame);
}

function showProperties() {
  const live = element(one('.frame[data-state="live"]'));
  if (!live) return;
  for (const value of all('[data-property]')) say(value, String(live[value.dataset.property]));
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
  say(one('#fault-told'), '');
  note('page', 'fault', name);
}

/** The fields have their first values only after the event. */
function reset() {
  setNext('');
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

function press(button) {
  const { once: kind, method } = button.dataset;
  if (method) METHODS[method](element(one('.frame[data-state="live"]')));
  if (kind === 'restart') restart();
  else if (kind) setNext(kind);
  if (!kind) return;
  say(one('#fault-told'), kind === 'restart' ? 'Cut. They come back within five seconds.' : 'Waiting for the next comment.');
  note('page', 'fault', kind);
}

addEventListener('playground-used', ({ detail }) => {
  say(one('#fault-told'), detail === 'post-fails' ? 'The request got lost.' : 'The answer got lost; the retry makes no second comment.');
});
form.addEventListener('change', ({ target }) => (target.name === 'fault' ? fault(target.value) : apply()));
form.addEventListener('reset', () => setTimeout(reset));
for (const button of all('[data-once], [data-method]')) button.addEventListener('click', () => press(button));
one('#log-of').addEventListener('change', ({ target }) => (log.dataset.of = target.value));
for (const name of EVENTS) gallery.addEventListener(`tertulia-${name}`, told);

// beside the frames they are always open; above them, on a phone, they would cover half of what is looked at
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
