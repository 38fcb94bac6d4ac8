// Shows each snapshot that the demonstration sends, and sends back what buttons say.

const ACTIONS = { kill: 'Kill', freeze: 'Freeze', start: 'Start' };
const SVG = 'http://www.w3.org/2000/svg';
const SPAN_S = 120;
const LEAST_MS = 1;
const MOST_MS = 30_000;
const LETTER_PX = 7;
const EDGE = { left: 46, right: 4, top: 16, bottom: 18 };

const one = (selector, root = document) => root.querySelector(selector);
const value = (name) => one(`[data-value="${name}"]`);
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const count = new Intl.NumberFormat('en');

function span(ms) {
  if (ms === null) return '–';
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function create(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- numbers ------------------------------------------------------------------------------------------------

function showNumbers({ counts, latency }) {
  for (const name of ['lost', 'duplicated']) {
    setText(value(name), count.format(counts[name]));
    value(name).classList.toggle('wrong', counts[name] > 0);
  }
  for (const name of ['p50', 'p99', 'worst']) setText(value(name), span(latency[name]));
  const pending = counts.pending ? `, ${count.format(counts.pending)} still pending` : '';
  setText(
    value('sum'),
    `${count.format(counts.comments)} comments, ${count.format(counts.deliveries)} deliveries${pending}; ` +
      `${counts.connected} of ${counts.readers} readers connected. Times are those of the last minute.`,
  );
}

// ---- services ----------------------------------------------------------------------------------------------

const rows = new Map();

function row(service) {
  const buttons = Object.keys(ACTIONS).map((action) => {
    const button = create('button', { type: 'button', textContent: ACTIONS[action], hidden: true });
    button.dataset.action = action;
    button.addEventListener('click', () => ask(service.name, action));
    return button;
  });
  const element = create(
    'tr', {},
    create('th', { scope: 'row' }, service.title),
    create('td', {}, create('span')),
    create('td', { className: 'number' }),
    create('td', { className: 'number' }),
    create('td', { className: 'number pid' }),
    create('td', {}, ...buttons),
  );
  one('.services tbody').append(element);
  return element;
}

function showService(service) {
  if (!rows.has(service.name)) rows.set(service.name, row(service));
  const [, state, readers, seq, pid, last] = rows.get(service.name).children;
  setText(one('span', state), service.restarts_in === null ? service.state : `${service.state}, ${Math.ceil(service.restarts_in)} s`);
  one('span', state).className = `state ${service.state}`;
  setText(pid, service.pid === null ? '' : String(service.pid));
  setText(readers, service.readers === null ? '' : String(service.readers));
  setText(seq, service.seq === null ? '' : count.format(service.seq));
  for (const button of last.children) {
    const { action } = button.dataset;
    button.hidden = !service.actions.includes(action);
    setText(button, action === 'start' && service.state === 'frozen' ? 'Go on' : ACTIONS[action]);
    button.setAttribute('aria-label', `${button.textContent}: ${service.title}`);
  }
}

async function ask(name, action) {
  let problem = '';
  try {
    const answer = await fetch(`/parts/${name}/${action}`, { method: 'POST' });
    if (!answer.ok) problem = (await answer.json()).detail;
  } catch {
    problem = 'The demonstration does not answer.';
  }
  setText(one('.refusal'), problem);
}

// ---- chart --------------------------------------------------------------------------------------------------

function drawn(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, given] of Object.entries(attributes)) element.setAttribute(name, given);
  if (text !== undefined) element.textContent = text;
  return element;
}

function showChart({ chart, marks }) {
  const svg = one('.chart');
  const width = svg.clientWidth;
  const height = svg.clientHeight;
  const x = (age) => width - EDGE.right - (Math.min(age, SPAN_S) / SPAN_S) * (width - EDGE.left - EDGE.right);
  const share = (ms) => Math.log(Math.min(Math.max(ms, LEAST_MS), MOST_MS) / LEAST_MS) / Math.log(MOST_MS / LEAST_MS);
  const y = (ms) => height - EDGE.bottom - share(ms) * (height - EDGE.top - EDGE.bottom);
  const shapes = [];
  for (const [ms, label] of [[1, '1 ms'], [10, '10 ms'], [100, '100 ms'], [1000, '1 s'], [10_000, '10 s']]) {
    shapes.push(drawn('line', { x1: EDGE.left, x2: width, y1: y(ms), y2: y(ms) }));
    shapes.push(drawn('text', { x: EDGE.left - 4, y: y(ms) + 4, 'text-anchor': 'end' }, label));
  }
  for (const [age, label] of [[120, '2 min ago'], [60, '1 min'], [0, 'now']]) {
    const anchor = age === 0 ? 'end' : age === SPAN_S ? 'start' : 'middle';
    shapes.push(drawn('text', { x: x(age), y: height - 4, 'text-anchor': anchor }, label));
  }
  let taken = Infinity;
  for (const [age, title] of marks) {
    const at = x(age);
    shapes.push(drawn('line', { class: 'mark', x1: at, x2: at, y1: EDGE.top, y2: height - EDGE.bottom }));
    const isLate = at > width * 0.8;
    const long = title.length * LETTER_PX;
    if ((isLate ? at : at + long) > taken) continue; // newest first: an older name that would touch a newer one is left out
    taken = isLate ? at - long : at;
    shapes.push(drawn('text', { x: at, y: EDGE.top - 5, 'text-anchor': isLate ? 'end' : 'start' }, title));
  }
  for (const [age, , worst] of chart) shapes.push(drawn('circle', { class: 'worst', cx: x(age), cy: y(worst), r: 2.5 }));
  for (const [age, median] of chart) shapes.push(drawn('circle', { class: 'median', cx: x(age), cy: y(median), r: 2.5 }));
  svg.replaceChildren(...shapes);
}

// ---- timeline ----------------------------------------------------------------------------------------------

function showTimeline(entries) {
  const list = one('.timeline');
  while (list.children.length > entries.length) list.lastChild.remove();
  while (list.children.length < entries.length) list.append(create('li', {}, create('time'), create('p', {}, create('strong'), create('span'))));
  entries.forEach((entry, index) => {
    const item = list.children[index];
    item.classList.toggle('open', entry.open);
    one('time', item).dateTime = entry.at;
    setText(one('time', item), clock.format(new Date(entry.at)));
    setText(one('strong', item), entry.title);
    setText(one('span', item), `: ${entry.text}`);
  });
}

// ---- all of it ----------------------------------------------------------------------------------------------

function show(snapshot) {
  showNumbers(snapshot);
  snapshot.services.forEach(showService);
  for (const { number, target } of snapshot.balancers) {
    const place = one(`[data-balancer="${number}"]`);
    if (place) setText(place, target ? `now at ${target}` : 'which finds no instance');
  }
  showTimeline(snapshot.timeline);
  showChart(snapshot);
}

const source = new EventSource('/snapshots');
source.onmessage = ({ data }) => show(JSON.parse(data));
source.onerror = () => setText(value('sum'), 'The demonstration does not answer; it may have been ended.');
