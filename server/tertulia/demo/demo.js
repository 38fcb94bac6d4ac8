// Shows each snapshot that the demonstration sends, and sends back what buttons say.

const ACTS = { kill: 'Kill', freeze: 'Freeze', start: 'Start' };
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

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- numbers ------------------------------------------------------------------------------------------------

function showNumbers({ counts, latency }) {
  for (const name of ['lost', 'doubled']) {
    say(value(name), count.format(counts[name]));
    value(name).classList.toggle('wrong', counts[name] > 0);
  }
  for (const name of ['p50', 'p99', 'worst']) say(value(name), span(latency[name]));
  const underway = counts.underway ? `, ${count.format(counts.underway)} still underway` : '';
  say(
    value('sum'),
    `${count.format(counts.comments)} comments, ${count.format(counts.deliveries)} deliveries${underway}; ` +
      `${counts.connected} of ${counts.readers} readers connected. Times are those of the last minute.`,
  );
}

// ---- parts --------------------------------------------------------------------------------------------------

const rows = new Map();

function row(part) {
  const buttons = Object.keys(ACTS).map((act) => {
    const button = made('button', { type: 'button', textContent: ACTS[act], hidden: true });
    button.dataset.act = act;
    button.addEventListener('click', () => ask(part.name, act));
    return button;
  });
  const made_ = made(
    'tr', {},
    made('th', { scope: 'row' }, part.title),
    made('td', {}, made('span')),
    made('td', { className: 'number' }),
    made('td', { className: 'number' }),
    made('td', { className: 'number pid' }),
    made('td', {}, ...buttons),
  );
  one('.parts tbody').append(made_);
  return made_;
}

function showPart(part) {
  if (!rows.has(part.name)) rows.set(part.name, row(part));
  const [, state, readers, seq, pid, last] = rows.get(part.name).children;
  say(one('span', state), part.due === null ? part.state : `${part.state}, ${Math.ceil(part.due)} s`);
  one('span', state).className = `state ${part.state}`;
  say(pid, part.pid === null ? '' : String(part.pid));
  say(readers, part.readers === null ? '' : String(part.readers));
  say(seq, part.seq === null ? '' : count.format(part.seq));
  for (const button of last.children) {
    const { act } = button.dataset;
    button.hidden = !part.acts.includes(act);
    say(button, act === 'start' && part.state === 'frozen' ? 'Go on' : ACTS[act]);
    button.setAttribute('aria-label', `${button.textContent}: ${part.title}`);
  }
}

async function ask(name, act) {
  let trouble = '';
  try {
    const answer = await fetch(`/parts/${name}/${act}`, { method: 'POST' });
    if (!answer.ok) trouble = (await answer.json()).detail;
  } catch {
    trouble = 'The demonstration does not answer.';
  }
  say(one('.refusal'), trouble);
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

// ---- story --------------------------------------------------------------------------------------------------

function showStory(lines) {
  const list = one('.story');
  while (list.children.length > lines.length) list.lastChild.remove();
  while (list.children.length < lines.length) list.append(made('li', {}, made('time'), made('p', {}, made('strong'), made('span'))));
  lines.forEach((line, index) => {
    const item = list.children[index];
    item.classList.toggle('open', line.open);
    one('time', item).dateTime = line.at;
    say(one('time', item), clock.format(new Date(line.at)));
    say(one('strong', item), line.title);
    say(one('span', item), `: ${line.text}`);
  });
}

// ---- all of it ----------------------------------------------------------------------------------------------

function show(snapshot) {
  showNumbers(snapshot);
  snapshot.parts.forEach(showPart);
  for (const { number, at } of snapshot.fronts) {
    const place = one(`[data-front="${number}"]`);
    if (place) say(place, at ? `now at ${at}` : 'which finds no instance');
  }
  showStory(snapshot.story);
  showChart(snapshot);
}

const source = new EventSource('/snapshots');
source.onmessage = ({ data }) => show(JSON.parse(data));
source.onerror = () => say(value('sum'), 'The demonstration does not answer; it may have been ended.');
