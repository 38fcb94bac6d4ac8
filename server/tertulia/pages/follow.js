// Follows a discussion for somebody who is signed in by the cookie, which no script can read: it tells of new comments,
// takes away what is removed, and has the server show again what is edited, with the reader's own marks.
const RETRY_MS = 5000; // and up to twice that: a refusal ends what a browser tries by itself
const LONGEST_WAIT_MS = 5000; // so that a thousand readers do not ask for an edited comment in the same moment
const root = document.querySelector("[data-follow]");
const { site, key, removed, deleted, news } = JSON.parse(root.dataset.follow);
const list = root.querySelector("section");
const pill = document.createElement("p");
const button = document.createElement("button");
const arrived = new Set();
const edited = new Set();
let { epoch } = root.dataset;
let seq = Number(root.dataset.seq);
let more = 0; // of a summary, which does not name them
let stream;
let timer;

pill.className = "arrivals";
pill.setAttribute("role", "status");
button.type = "button";
button.addEventListener("click", showAll);
list.before(pill);

function follow() {
  const query = new URLSearchParams({ site, key, epoch, after: seq });
  stream = new EventSource(`/api/v1/events?${query}`);
  stream.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
  stream.addEventListener("error", ({ target }) => {
    if (target === stream && target.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS * (1 + Math.random()));
  });
}

function hear({ type, ...message }) {
  if (type === "reset") {
    ({ epoch, seq } = message);
    more += 1;
    tell();
  } else if (type === "events" || type === "summary") {
    const named = message.events.filter((event) => event.kind === "comment.created").length;
    if (type === "summary") more += message.count - named;
    message.events.filter((event) => event.seq > seq).forEach(change);
    seq = message.to ?? message.events.at(-1)?.seq ?? seq;
    tell();
  }
}

function change({ kind, comment }) {
  if (!comment) return;
  const card = cardOf(document, comment.id);
  if (kind === "comment.removed") {
    arrived.delete(comment.id);
    edited.delete(comment.id);
    card?.replaceChildren(tombstone(comment));
    card?.classList.add("tombstone");
  } else if (card) {
    edited.add(comment.id);
    timer ??= setTimeout(showEdited, Math.random() * LONGEST_WAIT_MS);
  } else if (kind === "comment.created" || kind === "comment.restored") arrived.add(comment.id);
}

function tombstone({ state }) {
  const said = document.createElement("p");
  said.textContent = state === "deleted" ? deleted : removed;
  return said;
}

function tell() {
  const count = arrived.size + more;
  if (!count) return pill.replaceChildren();
  const { lang } = document.documentElement;
  const sentence = news[new Intl.PluralRules(lang).select(count)] ?? news.other;
  button.textContent = sentence.replace("{n}", count.toLocaleString(lang));
  if (!button.isConnected) pill.replaceChildren(button);
}

const cardOf = (page, id) => page.getElementById(`comment-${id}`);

// the page as the server shows it now; a document that a request has read runs no script
function pageNow() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.addEventListener("load", () => (request.status === 200 && request.response ? resolve(request.response) : reject(request.status)));
    request.addEventListener("error", reject);
    request.send();
  });
}

async function showEdited() {
  const ids = [...edited];
  edited.clear();
  timer = undefined;
  const page = await pageNow().catch(() => undefined);
  for (const id of page ? ids : []) {
    const card = cardOf(document, id);
    const now = cardOf(page, id);
    // whoever is at one of its buttons stays there
    const at = card ? [...card.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
    if (now) card?.replaceWith(now);
    if (at >= 0) now?.querySelectorAll("a, button")[at]?.focus({ preventScroll: true });
  }
}

async function showAll() {
  try {
    const page = await pageNow();
    const now = page.querySelector("[data-follow]");
    if (!now) return location.reload(); // signed out meanwhile
    list.replaceChildren(...now.querySelector("section").childNodes);
  } catch {
    return location.reload();
  }
  const first = [...arrived].map((id) => cardOf(document, id)).find(Boolean) ?? list.querySelector("h2");
  arrived.clear();
  more = 0;
  tell();
  first.tabIndex = -1;
  first.focus();
}

// six connections are all that a browser has over HTTP/1.1: a page that nobody sees needs none
function connect() {
  stream?.close();
  if (!document.hidden) follow();
}

document.addEventListener("visibilitychange", connect);
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", ({ persisted }) => persisted && connect());
connect();
