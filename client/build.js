/**
 * Bundles src/ into the files that pages load, each with its source map.
 *
 *     node build.js            writes them into server/tertulia/static/
 *     node build.js --check    fails if they are not what src/ gives, or too large
 *
 *     embed.js                   the element: all that reading takes
 *     embed-actions.HASH.js      what a reader does beyond reading; embed.js imports it once the comments are there
 *     embed-extras.HASH.js       what most readers never use, for texts; embed-actions imports it at the first use
 *     embed-more.HASH.js         the same, for comments and members
 *     embed-threads.HASH.js      threads that fold, and what readers who come back need; embed-actions imports it at once
 *     embed-letters.HASH.js      what letters a search takes for others; embed-extras imports it at the first search
 *     embed-about.HASH.js        what a page is told of its key, and a server of its page; embed-actions imports it where one has to be
 *     embed-sharing.HASH.js      what takes two windows, or a network without sockets; embed-actions imports it then
 *     embed-sign.HASH.js         signing in: at a provider, or by a code in a mail; embed-more imports it when that is asked for
 *     embed-diagnosis.HASH.js    why there are no comments, for the console; embed.js imports it after a failure
 *     embed.full.js              all of them in one, whose digest a page can demand
 *     count.js                   the number of comments, for pages that show only that
 *     desk.HASH.js               the moderators' desk, for the staff's pages alone
 *
 * Also the sentences and the table of letters in src/ are written from those of the server.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { minify } from 'terser';
import { OWN } from './members.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const STATIC = fileURLToPath(new URL('../server/tertulia/static/', import.meta.url));
const CATALOGUE = fileURLToPath(new URL('../server/tertulia/languages/en.json', import.meta.url));
const FOLDING = fileURLToPath(new URL('../server/tertulia/core/folding.json', import.meta.url));
// with gzip; see docs/decisions/0029-a-third-file.md
const SMALL = 6_000;
const LATER = Object.fromEntries(['extras', 'more', 'threads', 'about', 'letters', 'sharing', 'diagnosis'].map((name) => [`embed-${name}`, SMALL]));
const LARGEST = { 'embed.js': 15_000, 'embed-actions': 14_500, 'embed-sign': 4_500, ...LATER, 'count.js': 999, 'desk.': 30_000 };

const mangleCache = Object.fromEntries(OWN.map((name, index) => [name, `$${index.toString(36)}`]));

/** Styles are minified and imported as text. @type {import('esbuild').Plugin} */
const styles = {
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/** The single file has the others in it. @type {import('esbuild').Plugin} */
const full = {
  name: 'full',
  setup({ onResolve }) {
    onResolve({ filter: /\/bundles\.js$/ }, () => ({ path: `${HERE}src/bundles.full.js` }));
    onResolve({ filter: /\/extras\/load\.js$/ }, () => ({ path: `${HERE}src/actions/extras/load.full.js` }));
    onResolve({ filter: /\/loadSigning\.js$/ }, () => ({ path: `${HERE}src/actions/extras/loadSigning.full.js` }));
    onResolve({ filter: /\/loadLetters\.js$/ }, () => ({ path: `${HERE}src/actions/extras/loadLetters.full.js` }));
    onResolve({ filter: /\/about\/load\.js$/ }, () => ({ path: `${HERE}src/actions/about/load.full.js` }));
    onResolve({ filter: /\/sharing\/load\.js$/ }, () => ({ path: `${HERE}src/sharing/load.full.js` }));
    onResolve({ filter: /\/threads\/load\.js$/ }, () => ({ path: `${HERE}src/actions/threads/load.full.js` }));
  },
};

/** @param {import('esbuild').BuildOptions} options @returns {Promise<Map<string, Uint8Array>>} File name → bytes. */
async function bundle(options) {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    bundle: true,
    minify: true,
    target: ['es2022'],
    charset: 'utf8',
    sourcemap: 'external',
    legalComments: 'none',
    mangleProps: new RegExp(`^(${OWN.join('|')})$`),
    mangleCache,
    plugins: [styles],
    write: false,
    ...options,
  });
  const outputs = new Map((outputFiles ?? []).map(({ path, text }) => [path.slice(HERE.length), text]));
  const [name = ''] = outputs.keys();
  return pack(name.replace(/\.map$/, ''), outputs);
}

/** Packs what esbuild has minified once more: 2-3 % less with gzip. @param {string} name @param {Map<string, string>} outputs @returns {Promise<Map<string, Uint8Array>>} */
async function pack(name, outputs) {
  const content = outputs.get(`${name}.map`);
  const sourceMap = content ? { content, filename: name, url: `${name}.map` } : false;
  const { code = '', map } = await minify({ [name]: outputs.get(name) ?? '' }, { module: true, ecma: 2020, compress: { ecma: 2020, passes: 3, inline: 1 }, sourceMap });
  const bytes = new TextEncoder();
  return new Map([[name, bytes.encode(code)], ...(map ? [/** @type {const} */ ([`${name}.map`, bytes.encode(String(map))])] : [])]);
}

/** @returns {Promise<Map<string, Uint8Array>>} */
async function bundles() {
  const letters = await hashed('embed-letters', 'src/page/folding.js');
  const sign = await hashed('embed-sign', 'src/signing/index.js');
  const more = await hashed('embed-more', 'src/actions/comment/more.js', { SIGN_FILE: JSON.stringify(sign.name) });
  const extras = await hashed('embed-extras', 'src/actions/extras/index.js', { LETTERS_FILE: JSON.stringify(letters.name) });
  const sharing = await hashed('embed-sharing', 'src/sharing/index.js');
  const threads = await hashed('embed-threads', 'src/actions/threads/index.js');
  const about = await hashed('embed-about', 'src/actions/about/index.js');
  const names = { ABOUT_FILE: about, EXTRAS_FILE: extras, MORE_FILE: more, SHARING_FILE: sharing, THREADS_FILE: threads };
  const later = Object.fromEntries(Object.entries(names).map(([name, file]) => [name, JSON.stringify(file.name)]));
  const actions = await hashed('embed-actions', 'src/actions/index.js', later);
  const desk = await hashed('desk', 'src/desk/index.js');
  const diagnosis = await hashed('embed-diagnosis', 'src/diagnosis/index.js');
  const define = { ACTIONS_FILE: JSON.stringify(actions.name), DIAGNOSIS_FILE: JSON.stringify(diagnosis.name) };
  return new Map([
    ...diagnosis.files,
    ...letters.files,
    ...extras.files,
    ...more.files,
    ...sharing.files,
    ...threads.files,
    ...about.files,
    ...sign.files,
    ...actions.files,
    ...desk.files,
    ...(await bundle({ entryPoints: ['src/index.js'], outfile: 'embed.js', format: 'iife', define })),
    ...(await bundle({ entryPoints: ['src/count.js'], outfile: 'count.js', format: 'iife' })),
    ...(await bundle({ entryPoints: ['src/index.js'], outfile: 'embed.full.js', format: 'iife', plugins: [styles, full] })),
  ]);
}

/** A module whose name has the digest of its content. @param {string} name @param {string} entry @param {Record<string, string>} [define] */
async function hashed(name, entry, define = {}) {
  const options = { entryPoints: [entry], format: /** @type {const} */ ('esm'), define };
  const draft = await bundle({ ...options, outfile: 'draft.js', sourcemap: false });
  const file = `${name}.${digest(draft.get('draft.js'))}.js`;
  return { name: file, files: await bundle({ ...options, outfile: file }) };
}

/** @param {Uint8Array | undefined} content */
function digest(content = new Uint8Array()) {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** @returns {Promise<Map<string, string>>} File in src/ → its content. */
async function sentences() {
  const catalogue = JSON.parse(await readFile(CATALOGUE, 'utf8'));
  const module = (/** @type {string} */ group) =>
    `/** Generated from the catalogue of the server by build.js. */\nexport default ${JSON.stringify(catalogue[group], null, 2)};\n`;
  const table = `/** Generated from the server's core/folding.json by build.js. */\nexport default ${JSON.stringify(JSON.parse(await readFile(FOLDING, 'utf8')))};\n`;
  return new Map([['page/sentences.js', module('reading')], ['page/writingSentences.js', module('writing')], ['page/reportingSentences.js', module('reporting')], ['page/signingSentences.js', module('signing')], ['page/rulesSentences.js', module('rules')], ['page/foldingTable.js', table]]);
}

/** @param {string} path @returns {Promise<Buffer>} */
const stored = (path) => readFile(path).catch(() => Buffer.alloc(0));

/** Each file packed beforehand, since servers rarely can. @param {Map<string, Uint8Array>} files */
async function write(files) {
  for (const name of await readdir(STATIC)) if (/^(embed|count|desk)/.test(name) && !files.has(name.replace(/\.br$/, ''))) await rm(STATIC + name);
  for (const [name, contents] of files) {
    await writeFile(STATIC + name, contents);
    if (name.endsWith('.js') && !(await isPacked(name, contents))) await writeFile(`${STATIC}${name}.br`, brotliCompressSync(contents));
  }
}

/** Versions of brotli may pack differently, so only what comes out counts. @param {string} name @param {Uint8Array} contents */
async function isPacked(name, contents) {
  const packed = await stored(`${STATIC}${name}.br`);
  return packed.length > 0 && brotliDecompressSync(packed).equals(contents);
}

/** @param {Map<string, Uint8Array>} files */
async function differing(files) {
  const names = [];
  for (const [name, contents] of files) {
    const isSame = (await stored(STATIC + name)).equals(contents);
    if (!isSame || (name.endsWith('.js') && !(await isPacked(name, contents)))) names.push(name);
  }
  return names;
}

const isCheck = process.argv.includes('--check');
/** @type {string[]} */
const complaints = [];
for (const [name, text] of await sentences()) {
  const isSame = (await stored(`${HERE}src/${name}`)).toString() === text;
  if (!isSame && isCheck) complaints.push(`src/${name} is not what the catalogue gives; run npm run build.`);
  else if (!isSame) await writeFile(`${HERE}src/${name}`, text);
}
const files = await bundles();
for (const [name, contents] of files) {
  if (!name.endsWith('.js')) continue;
  const size = gzipSync(contents, { level: 9 }).length;
  const [, largest = Infinity] = Object.entries(LARGEST).find(([start]) => name.startsWith(start)) ?? [];
  console.log(`${name} ${contents.length} B, gzip ${size} B${largest < Infinity ? ` (at most ${largest})` : ''}, brotli ${brotliCompressSync(contents).length} B`);
  if (size > largest) complaints.push(`${name} is ${size - largest} B too large.`);
}
if (!isCheck) await write(files);
else for (const name of await differing(files)) complaints.push(`${name} is not what src/ gives; run npm run build.`);
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length ? 1 : 0;
