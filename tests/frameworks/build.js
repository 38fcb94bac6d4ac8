/**
 * Builds a page of each framework around the component that docs/embedding.md shows, as its readers copy it.
 *
 *     node build.js DOCUMENTATION OUT        OUT/NAME.html is what the server renders, OUT/NAME.js takes it over
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

/** The one example in this language. @param {string} language */
function example(language) {
  const found = [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))];
  if (found.length !== 1) throw new Error(`${found.length} examples in ${language}`);
  return found[0][1];
}

const isCustomElement = (/** @type {string} */ tag) => tag.startsWith('tertulia-');

/** @param {boolean} isServer @returns {import('esbuild').Plugin} */
const components = (isServer) => ({
  name: 'components',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^documentation:/ }, ({ path }) => ({ path: path.slice('documentation:'.length), namespace: 'documentation' }));
    onLoad({ filter: /^jsx$/, namespace: 'documentation' }, () => ({ contents: example('jsx'), loader: 'jsx', resolveDir: HERE }));
    onLoad({ filter: /^vue$/, namespace: 'documentation' }, () => ({ contents: vue(example('vue'), isServer), resolveDir: HERE }));
    onLoad({ filter: /^svelte$/, namespace: 'documentation' }, () => ({ contents: svelte(example('svelte'), isServer), resolveDir: HERE }));
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

/** @param {string} entry @param {string} file @param {boolean} isServer */
function bundle(entry, file, isServer) {
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
    plugins: [components(isServer)],
    logLevel: 'error',
  });
}

await mkdir(out, { recursive: true });
for (const name of ['react', 'vue', 'svelte']) {
  await bundle(`${name}.server.js`, `${out}/${name}.server.mjs`, true);
  await bundle(`${name}.browser.js`, `${out}/${name}.js`, false);
  const { render } = await import(pathToFileURL(`${out}/${name}.server.mjs`).href);
  await writeFile(`${out}/${name}.html`, await render());
}

await mkdir(`${out}/pages`, { recursive: true });
await writeFile(`${out}/pages/first.njk`, example('njk'));
const [{ content }] = await new Eleventy(`${out}/pages`, `${out}/site`, { quietMode: true }).toJSON();
await writeFile(`${out}/eleventy.html`, content);
