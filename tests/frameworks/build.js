/**
 * Builds a page of each framework around the component that docs/embedding.md shows, as its readers copy it.
 *
 *     node build.js DOCUMENTATION OUT        OUT/NAME.html is what the server renders, OUT/NAME.js takes it over
 *
 * OUT/NAME-no-shadow.html and .js are the same with what the page says of `no-shadow` in the element's tag.
 *
 * The programs around the components are in apps/: each hydrates on `start()`, moves the element on `flip()`, gives it another
 * discussion with `to(url)` and takes it away with `off()`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Eleventy from '@11ty/eleventy';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const [documentation = '', out = ''] = process.argv.slice(2);
const page = (await readFile(documentation, 'utf8')).split('\n## Frameworks\n')[1].split('\n## ')[0];

/** The one of these on the page. @param {RegExp} pattern @returns {string} */
function only(pattern) {
  const found = [...page.matchAll(pattern)];
  if (found.length !== 1) throw new Error(`${found.length} of ${pattern}`);
  return found[0][1];
}

const NO_SHADOW = {
  jsx: only(/in React\s+`([^`]+)`/g),
  vue: only(/in Vue\s+`([^`]+)`/g),
  svelte: only(/Svelte takes\s+`([^`]+)`/g),
};

/** The one example in this language. @param {keyof typeof NO_SHADOW | 'njk'} language @param {boolean} [hasShadow] */
function example(language, hasShadow = true) {
  const written = only(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'));
  return hasShadow ? written : written.replace('<tertulia-discussion', `$& ${NO_SHADOW[language]}`);
}

const isCustomElement = (/** @type {string} */ tag) => tag.startsWith('tertulia-');

/** @param {boolean} isServer @param {boolean} hasShadow @returns {import('esbuild').Plugin} */
const components = (isServer, hasShadow) => ({
  name: 'components',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^documentation:/ }, ({ path }) => ({ path: path.slice('documentation:'.length), namespace: 'documentation' }));
    onLoad({ filter: /^jsx$/, namespace: 'documentation' }, () => ({ contents: example('jsx', hasShadow), loader: 'jsx', resolveDir: HERE }));
    onLoad({ filter: /^vue$/, namespace: 'documentation' }, () => ({ contents: vue(example('vue', hasShadow), isServer), resolveDir: HERE }));
    onLoad({ filter: /^svelte$/, namespace: 'documentation' }, () => ({ contents: svelte(example('svelte', hasShadow), isServer), resolveDir: HERE }));
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => ({ contents: svelte(await readFile(path, 'utf8'), isServer), resolveDir: `${HERE}apps` }));
  },
});

/** @param {string} source @param {boolean} isServer */
function vue(source, isServer) {
  const { descriptor } = parse(source, { templateParseOptions: { isCustomElement } });
  const { content } = compileScript(descriptor, {
    id: 'discussion', inlineTemplate: true, templateOptions: { ssr: isServer, ssrCssVars: [], compilerOptions: { isCustomElement } },
  });
  return content;
}

/** @param {string} source @param {boolean} isServer */
function svelte(source, isServer) {
  return compile(source, { generate: isServer ? 'server' : 'client', name: 'Component' }).js.code;
}

/** @param {string} entry @param {string} file @param {boolean} isServer @param {boolean} hasShadow */
function bundle(entry, file, isServer, hasShadow) {
  return build({
    entryPoints: [`${HERE}apps/${entry}`],
    outfile: file,
    bundle: true,
    format: isServer ? 'esm' : 'iife',
    platform: isServer ? 'node' : 'browser',
    conditions: isServer ? ['node'] : ['browser'],
    // what they warn about is what is looked for
    define: { 'process.env.NODE_ENV': '"development"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true' },
    banner: isServer ? { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } : {},
    jsx: 'automatic',
    plugins: [components(isServer, hasShadow)],
    logLevel: 'error',
  });
}

await mkdir(out, { recursive: true });
for (const hasShadow of [true, false]) {
  for (const name of ['react', 'vue', 'svelte']) {
    const file = `${out}/${name}${hasShadow ? '' : '-no-shadow'}`;
    await bundle(`${name}.server.js`, `${file}.server.mjs`, true, hasShadow);
    await bundle(`${name}.browser.js`, `${file}.js`, false, hasShadow);
    const { render } = await import(pathToFileURL(`${file}.server.mjs`).href);
    await writeFile(`${file}.html`, await render());
  }
}

await mkdir(`${out}/pages`, { recursive: true });
await writeFile(`${out}/pages/first.njk`, example('njk'));
const [{ content }] = await new Eleventy(`${out}/pages`, `${out}/site`, { quietMode: true }).toJSON();
await writeFile(`${out}/eleventy.html`, content);
