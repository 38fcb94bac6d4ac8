/**
 * Bundles src/ into one file that needs nothing else, with its source map beside it.
 *
 *     node build.js            writes server/tertulia/static/embed.js and embed.js.map
 *     node build.js --check    fails if they are not what src/ gives, or too large
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const STATIC = fileURLToPath(new URL('../server/tertulia/static/', import.meta.url));
// with gzip, styles and two languages included; see docs/decisions/0008-a-budget-for-the-client.md
const LARGEST = 20_480;

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

/** @returns {Promise<Map<string, Uint8Array>>} File name → bytes. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: ['src/index.js'],
    outfile: 'embed.js',
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['es2022'],
    charset: 'utf8',
    sourcemap: 'linked',
    legalComments: 'none',
    plugins: [styles],
    write: false,
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(HERE.length), contents]));
}

/** @param {Map<string, Uint8Array>} files */
async function differing(files) {
  const names = [];
  for (const [name, contents] of files) {
    const stored = await readFile(STATIC + name).catch(() => Buffer.alloc(0));
    if (!stored.equals(contents)) names.push(name);
  }
  return names;
}

const files = await bundle();
const script = files.get('embed.js') ?? new Uint8Array();
const size = gzipSync(script, { level: 9 }).length;
console.log(`embed.js ${script.length} B, gzip ${size} B (at most ${LARGEST})`);

/** @type {string[]} */
const complaints = [];
if (process.argv.includes('--check')) {
  if (size > LARGEST) complaints.push(`embed.js is ${size - LARGEST} B too large.`);
  for (const name of await differing(files)) complaints.push(`${name} is not what src/ gives; run npm run build.`);
} else {
  for (const [name, contents] of files) await writeFile(STATIC + name, contents);
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length ? 1 : 0;
