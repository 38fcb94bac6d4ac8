import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endSession, known, memberItem, reader, sessionFor } from '../src/actions/extras/session.js';
import { Api } from '../src/live/api.js';
import { SafeStorage } from '../src/page/storage.js';
import { FakeStorage } from './helpers.js';

const PLACE = { server: 'https://talk.example', site: 's', key: 'k' };

/** @param {object} claims */
const jwt = (claims) => `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

let tokens = 0;
/** One that no other test has exchanged. @param {object} [more] */
const ofSite = (more) => jwt({ iss: 'https://news.example', sub: '1', name: 'Lan', iat: tokens++, ...more });

/** @param {FakeStorage} backend @param {(request: {url: string, init: any}) => Response} answer */
function rig(answer, backend = new FakeStorage()) {
  /** @type {{url: string, init: any}[]} */
  const requests = [];
  const request = async (/** @type {any} */ url, /** @type {any} */ init) => {
    requests.push({ url, init });
    return answer({ url, init });
  };
  const make = () => new Api(PLACE, new SafeStorage(() => backend), undefined, /** @type {any} */ (request));
  return { api: make(), make, requests, backend };
}

let sessions = 0;
const opens = () => Response.json({ token: `ts_${sessions++}`, viewer: {} }, { status: 201 });

test("a site's token is exchanged, by nobody, and this server's own is used as it is", async () => {
  const { api, requests } = rig(opens);
  api.keep('ts_old');
  const token = ofSite();
  assert.match(await sessionFor(api, token), /^ts_\d/);
  const [{ url, init }] = requests;
  assert.equal(url, 'https://talk.example/api/v1/sessions');
  assert.deepEqual(JSON.parse(init.body), { grant: 'jwt', site: 's', token });
  assert.equal(init.headers.Authorization, undefined);
  for (const own of ['ts_x', 'tm_x', jwt({ iss: 'tertulia', sub: '1', name: 'Lan' }), 'nonsense', 'e.y.j']) assert.equal(await sessionFor(api, own), own);
  assert.equal(requests.length, 1);
});

test('the token of the guest that the reader was goes along, and nothing is left of the guest', async () => {
  const { api, requests, backend } = rig(opens);
  const guest = jwt({ iss: 'tertulia', sub: 'g', name: 'Guest' });
  api.keep(guest);
  const key = `tertulia:guest:${PLACE.server}:s`;
  backend.setItem(key, 'the key of a vote whose answer was lost');
  const token = ofSite();
  api.keep(await sessionFor(api, token));
  const [{ init }] = requests;
  assert.deepEqual(JSON.parse(init.body), { grant: 'jwt', site: 's', token, guest });
  assert.equal(init.headers.Authorization, undefined);
  assert.equal(backend.getItem(key), null);
  await sessionFor(api, ofSite({ sub: '2' }));
  assert.equal(JSON.parse(requests[1].init.body).guest, undefined, 'a session is no guest');
});

test('one token is exchanged once for all elements of a page, since it may be good once', async () => {
  const { api, make, requests } = rig(opens);
  const token = ofSite();
  const found = await Promise.all([sessionFor(api, token), sessionFor(make(), token)]);
  assert.equal(found[0], found[1]);
  assert.equal(requests.length, 1);
});

test('the session of the same reader goes on with the next page and in another window; another reader gets another', async () => {
  const { api, make, requests } = rig(opens);
  api.keep(await sessionFor(api, ofSite()));
  assert.equal(await sessionFor(make(), ofSite()), api.token);
  assert.equal(requests.length, 1);
  for (const more of [{ sub: '2' }, { name: 'Lan N.' }]) assert.notEqual(await sessionFor(make(), ofSite(more)), api.token);
  assert.equal(requests.length, 3);
});

test('a session that the server ended is not taken for one that goes on', async () => {
  const { api, requests } = rig(opens);
  api.keep(await sessionFor(api, ofSite()));
  api.keep(null); // as after 401
  await sessionFor(api, ofSite());
  assert.equal(requests.length, 2);
});

test('what is refused is told, and the next time asked again', async () => {
  let status = 409;
  const { api } = rig(() => (status === 201 ? opens() : Response.json({ code: 'name_taken', detail: 'Choose another.' }, { status })));
  const token = ofSite();
  await assert.rejects(sessionFor(api, token), { status: 409, code: 'name_taken' });
  assert.equal(api.storage.get(memberItem(api)), null);
  status = 201;
  assert.match(await sessionFor(api, token), /^ts_/);
});

test('whom the kept token is of is known for sessions, and for tokens that say so', async () => {
  const { api } = rig(opens);
  assert.equal(known(api), '');
  const token = ofSite({ name: 'Nguyễn' });
  api.keep(await sessionFor(api, token));
  assert.equal(known(api), '1 Nguyễn');
  assert.equal(reader(token), '1 Nguyễn');
  api.keep(jwt({ iss: 'tertulia', sub: '7', name: 'Minh' }));
  assert.equal(known(api), '7 Minh');
});

test('signing out ends the session on the server, and asks for nothing where there is none', () => {
  const { api, requests } = rig(() => Response.json({ ended: 1 }));
  endSession(api);
  api.keep('ts_1');
  endSession(api);
  assert.deepEqual(requests.map(({ url, init }) => [init.method, url, init.headers.Authorization]), [['DELETE', 'https://talk.example/api/v1/sessions/current', 'Bearer ts_1']]);
});
