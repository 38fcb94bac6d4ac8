/**
 * Bundles src/ into files that need nothing else, each with its source map beside it.
 *
 *     node build.js            writes embed.js, count.js and their maps into server/tertulia/static/
 *     node build.js --check    fails if they are not what src/ gives, or too large
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const STATIC = fileURLToPath(new URL('../server/tertulia/static/', import.meta.url));
// `largest` is with gzip; embed.js has styles and two languages, see docs/decisions/0008-a-budget-for-the-client.md
const BUNDLES = [
  { source: 'src/index.js', name: 'embed.js', largest: 20_480 },
  { source: 'src/count.js', name: 'count.js', largest: 999 },
];
const IS_CHECK = process.argv.includes('--check');

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

/** @param {string} source @param {string} name @returns {Promise<Array<[string, Uint8Array]>>} File names and bytes. */
async function bundle(source, name) {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: [source],
    outfile: name,
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
  return outputFiles.map(({ path, contents }) => [path.slice(HERE.length), contents]);
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

/** @type {string[]} */
const complaints = [];
const files = new Map((await Promise.all(BUNDLES.map(({ source, name }) => bundle(source, name)))).flat());
for (const { name, largest } of BUNDLES) {
  const script = files.get(name) ?? new Uint8Array();
  const size = gzipSync(script, { level: 9 }).length;
  console.log(`${name} ${script.length} B, gzip ${size} B (at most ${largest})`);
  if (IS_CHECK && size > largest) complaints.push(`${name} is ${size - largest} B too large.`);
}
if (IS_CHECK) {
  for (const name of await differing(files)) complaints.push(`${name} is not what src/ gives; run npm run build.`);
} else {
  for (const [name, contents] of files) await writeFile(STATIC + name, contents);
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length ? 1 : 0;
