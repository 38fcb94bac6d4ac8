import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lasting, post, vote } from '../src/actions/commands.js';
import { Api } from '../src/live/api.js';
import { SafeStorage } from '../src/page/storage.js';
import { comment, FakeStorage } from './helpers.js';

const PLACE = { server: 'https://talk.example', site: 's', key: 'https://news.example/?a=1&b' };
const TOKEN = 'tertulia:token:https://talk.example:s';

/** @param {(() => Response)[]} answers */
function rig(answers) {
  const backend = new FakeStorage();
  /** @type {{url: string, init: any}[]} */
  const requests = [];
  const request = async (/** @type {any} */ url, /** @type {any} */ init) => {
    requests.push({ url, init });
    return /** @type {() => Response} */ (answers.shift())();
  };
  const make = () => new Api(PLACE, new SafeStorage(() => backend), undefined, request);
  return { backend, requests, make };
}

test('a discussion is named by its site and key', async () => {
  const { make, requests } = rig([() => Response.json({})]);
  await make().snapshot('newest', 50, 'vi');
  const url = new URL(requests[0].url);
  assert.equal(url.pathname, '/api/v1/discussion');
  assert.deepEqual(Object.fromEntries(url.searchParams), { site: 's', key: PLACE.key, sort: 'newest', limit: '50', lang: 'vi' });
  assert.equal(requests[0].init.headers.Authorization, undefined);
});

test('the token of the first post is kept and sent from then on', async () => {
  const { make, requests, backend } = rig([
    () => Response.json({ comment: comment(1), seq: 1, token: 't1' }, { status: 201 }),
    () => Response.json({}),
  ]);
  await post(make(), { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.equal(requests[0].init.headers['Idempotency-Key'], 'key-0123456789abcdef');
  assert.deepEqual(JSON.parse(requests[0].init.body).author, { name: 'Mai' });
  assert.equal(backend.getItem(TOKEN), 't1');
  await make().snapshot('oldest', 50, 'en');
  assert.equal(requests[1].init.headers.Authorization, 'Bearer t1');
});

test('a token that is refused is forgotten, and the request made once more as a guest', async () => {
  const { make, requests, backend } = rig([() => Response.json({}, { status: 401 }), () => Response.json({ comment: comment(1) })]);
  backend.setItem(TOKEN, 'old');
  await post(make(), { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.deepEqual(requests.map(({ init }) => init.headers.Authorization), ['Bearer old', undefined]);
  assert.equal(requests[1].init.headers['Idempotency-Key'], 'key-0123456789abcdef');
  assert.equal(backend.getItem(TOKEN), null);
});

test('a token that is refused takes none away that came while the request was on its way', async () => {
  const { make, requests, backend } = rig([
    () => (backend.setItem(TOKEN, 'ts_new'), Response.json({}, { status: 401 })),
    () => Response.json({ comment: comment(1) }),
  ]);
  backend.setItem(TOKEN, 'guest');
  await post(make(), { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.deepEqual(requests.map(({ init }) => init.headers.Authorization), ['Bearer guest', 'Bearer ts_new']);
  assert.equal(backend.getItem(TOKEN), 'ts_new');
});

test('without a token, 401 is trouble', async () => {
  const { make } = rig([() => Response.json({ code: 'unauthenticated', detail: 'Sign in.' }, { status: 401 })]);
  await assert.rejects(vote(make(), 'c1', 1), { status: 401, code: 'unauthenticated', detail: 'Sign in.' });
});

test('a lost connection is status 0, and an answer that is no JSON still has its status', async () => {
  const lost = rig([() => { throw new TypeError('failed'); }]);
  await assert.rejects(lost.make().snapshot('oldest', 50, 'en'), { status: 0 });
  const proxy = rig([() => new Response('<html>', { status: 502, headers: { 'Retry-After': '7' } })]);
  await assert.rejects(proxy.make().snapshot('oldest', 50, 'en'), { status: 502, retryAfter: 7 });
});

test('an answer that is cut in its middle is a lost connection', async () => {
  const cut = () => new Response(new ReadableStream({ start: (to) => (to.enqueue(new TextEncoder().encode('{"disc')), to.error(new TypeError('cut'))) }));
  await assert.rejects(rig([cut]).make().snapshot('oldest', 50, 'en'), { status: 0 });
});

test('a reader whose token ended does not write as a guest, but with the next token', async () => {
  const refused = () => Response.json({ code: 'unauthenticated' }, { status: 401 });
  const { make, requests, backend } = rig([refused, () => Response.json({ comment: comment(1) }), refused]);
  backend.setItem(TOKEN, 'old');
  const api = make();
  api.renew = async () => (api.keep('new'), true);
  await post(api, { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.deepEqual(requests.map(({ init }) => init.headers.Authorization), ['Bearer old', 'Bearer new']);
  api.renew = async () => false;
  await assert.rejects(post(api, { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdeg'), { status: 401 });
  assert.equal(requests.length, 3);
});

test('who got a token in another window writes with it', async () => {
  const { make, requests, backend } = rig([() => Response.json({ comment: comment(1) })]);
  const api = make();
  backend.setItem(TOKEN, 'of the other window');
  await post(api, { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.equal(requests[0].init.headers.Authorization, 'Bearer of the other window');
});

test('what outlives the page has the same token, also where nothing can be stored', async () => {
  const refused = () => Response.json({}, { status: 401 });
  /** @type {any[]} */
  const sent = [];
  const answers = [refused, () => Response.json({ comment: comment(1), token: 'of the answer' })];
  const api = new Api(PLACE, new SafeStorage(() => undefined), undefined, async (_, init) => (sent.push(init?.headers), /** @type {() => Response} */ (answers.shift())()));
  api.keep('old');
  api.renew = async () => (api.keep('new'), true);
  await post(lasting(api), { body: 'Hi', name: 'Mai', parent_id: null }, 'key-0123456789abcdef');
  assert.deepEqual(sent.map((headers) => headers.Authorization), ['Bearer old', 'Bearer new']);
  assert.equal(api.token, 'of the answer');
});
