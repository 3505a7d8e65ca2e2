/**
 * Compiles the TypeScript of this project, together with the packages that it imports, into few files. Loading some 600 source files and
 * 1000 files of packages one by one takes several seconds of CPU time in every run; compiling takes half a second, once for each state of
 * the sources. Plain JavaScript, because it runs before anything is compiled.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, rename, rm, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

const SOURCES = ['harness', 'clusters', 'fixtures', 'suites', 'scripts'];
/** Compiled code that no command has used for this time is removed. */
const UNUSED_MS = 7 * 24 * 3600 * 1000;

/**
 * Loaded from node_modules: they keep state that exists once (vitest, vite), find their own files (esbuild, pino, testcontainers), or are
 * optional parts of another package (pg-native).
 */
const NOT_COMPILED = ['vitest', '@vitest/*', 'vite', 'esbuild', 'pino', 'testcontainers', 'pg-native'];

/**
 * The folder with the compiled code of the present sources: `scripts/*.mjs`, `suites/*.e2e.mjs`, and what helm starts. The folder is inside
 * of node_modules, so that packages are found, and so that `npm ci` removes it.
 *
 * @param {string} root of the project
 * @returns {Promise<string>}
 * @throws {Error} with the places, when a source cannot be compiled
 */
export async function compile(root) {
  const files = SOURCES.flatMap((folder) => sourcesIn(join(root, folder))).sort();
  const compiled = join(root, 'node_modules', '.cache', 'kindproof');
  const folder = join(compiled, keyOf(root, files));
  if (existsSync(folder)) return used(folder);
  await draftOf(folder, (draft) => bundle(root, draft, { entryPoints: entriesOf(root, files) }));
  await removeUnused(compiled);
  return folder;
}

/**
 * For `removeUnused`. A folder of somebody else stays as it is.
 *
 * @param {string} folder
 */
async function used(folder) {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
  return folder;
}

/**
 * Makes a folder that is complete as soon as it exists.
 *
 * @param {string} folder
 * @param {(draft: string) => Promise<void>} write
 */
async function draftOf(folder, write) {
  const draft = `${folder}.${randomUUID()}`;
  try {
    await write(draft);
    // Another process may have been faster.
    await rename(draft, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * The folder with the compiled code of a suite outside of this project, together with the present sources: an error that the suite throws is
 * of the class that the harness knows. `suite.mjs` exports what the file exports, `checks.e2e.mjs` and `prove.e2e.mjs` are for a worker.
 *
 * @param {string} root of the project
 * @param {string} suite absolute path of the file that exports the suite
 * @returns {Promise<string>}
 * @throws {Error} with the places, when a source cannot be compiled
 */
export async function compileSuite(root, suite) {
  const { build } = await import('esbuild');
  // The suite's own files, also those beside it: the key of the compiled code.
  const own = await build({
    entryPoints: [suite],
    bundle: true,
    write: false,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  const files = SOURCES.flatMap((folder) => sourcesIn(join(root, folder))).sort();
  const compiled = join(root, 'node_modules', '.cache', 'kindproof');
  const key = createHash('sha256').update(keyOf(root, files)).update(`${suite}\0`);
  for (const { contents } of own.outputFiles) key.update(contents);
  const folder = join(compiled, key.digest('hex').slice(0, 24));
  if (existsSync(folder)) return used(folder);
  await draftOf(folder, (draft) =>
    bundle(root, draft, {
      entryPoints: ['suite', 'checks.e2e', 'prove.e2e'].map((out) => ({ in: `${GIVEN}${out}`, out })),
      plugins: [{ name: 'given', setup: (to) => givenSuite(to, root, suite) }],
    }),
  );
  return folder;
}

/** Names of files that exist nowhere: `givenSuite` writes them. */
const GIVEN = 'given:';

/**
 * What the three files of a given suite say, and where it finds this project, under the name of its package.
 *
 * @param {import('esbuild').PluginBuild} build
 * @param {string} root
 * @param {string} suite
 */
function givenSuite(build, root, suite) {
  const kit = JSON.stringify(join(root, 'suites', 'given', 'kit.ts'));
  const file = JSON.stringify(suite);
  /** @param {string} what */
  const worker = (what) =>
    `import suite from ${file};\nimport { kitOf, importFile } from ${kit};\nconst kit = kitOf(suite, ${file});\nconst later = await kit.${what}(importFile(suite, kit, ${file}));\nlater?.();\n`;
  const text = {
    suite: `export { default } from ${file};\n`,
    'checks.e2e': worker('declareChecks'),
    'prove.e2e': worker('declareProofs'),
  };
  build.onResolve({ filter: new RegExp(`^${GIVEN}`) }, ({ path }) => ({
    path: path.slice(GIVEN.length),
    namespace: 'given',
  }));
  build.onLoad({ filter: /.*/, namespace: 'given' }, ({ path }) => ({
    contents: text[path],
    loader: 'js',
    resolveDir: root,
  }));
  build.onResolve({ filter: /^kindproof(\/|$)/ }, ({ path }) => ({
    path:
      path === 'kindproof' ? join(root, 'suites', 'given', 'define-suite.ts') : join(root, path.slice(10)),
  }));
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && isSource(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/**
 * The catalogues as well: the list of checks, which is kept beside the compiled code, depends on them.
 *
 * @param {string} name
 */
function isSource(name) {
  return name === 'requirements.yaml' || (name.endsWith('.ts') && !name.endsWith('.test.ts'));
}

/**
 * Depends on the text of the sources, not on their times: a checkout changes the times.
 *
 * @param {string} root
 * @param {readonly string[]} files
 */
function keyOf(root, files) {
  const hash = createHash('sha256');
  const also = ['package-lock.json', 'scripts/compile.mjs'].map((name) => join(root, name));
  for (const file of [...also, ...files]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  // Compiled code has the absolute paths of the files that it reads.
  return hash.update(root).digest('hex').slice(0, 24);
}

/**
 * Commands, what a worker loads, and what helm starts.
 *
 * @param {string} root
 * @param {readonly string[]} files
 */
function entriesOf(root, files) {
  const scripts = new RegExp(
    `^scripts/[^/]+\\.ts$|^suites/[^/]+\\.e2e\\.ts$|^harness/kube/helm/post-render\\.ts$`,
  );
  return files.filter((file) => scripts.test(relative(root, file).replaceAll('\\', '/')));
}

/**
 * @param {string} root
 * @param {string} outdir
 * @param {Pick<import('esbuild').BuildOptions, 'entryPoints' | 'plugins'>} what
 */
async function bundle(root, outdir, { entryPoints, plugins = [] }) {
  const { build } = await import('esbuild');
  await build({
    entryPoints,
    outdir,
    absWorkingDir: root,
    outbase: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Stack traces name the sources.
    sourcemap: 'linked',
    sourcesContent: false,
    external: NOT_COMPILED,
    // CommonJS packages call it for what Node has built in.
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
    },
    plugins: [...plugins, { name: 'places', setup: keepPlaces }],
    logLevel: 'silent',
  });
}

/**
 * `import.meta.url` stays that of the source: files such as charts and scripts are found beside it.
 *
 * @param {import('esbuild').PluginBuild} build
 */
function keepPlaces(build) {
  build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    if (path.includes('node_modules')) return undefined;
    const text = await readFile(path, 'utf8');
    if (!text.includes('import.meta.url')) return undefined;
    const { code } = await build.esbuild.transform(text, {
      loader: 'ts',
      define: { 'import.meta.url': JSON.stringify(pathToFileURL(path).href) },
      sourcefile: path,
      sourcemap: 'inline',
    });
    return { loader: 'js', contents: code };
  });
}

/** @param {string} compiled */
async function removeUnused(compiled) {
  const limit = Date.now() - UNUSED_MS;
  for (const name of readdirSync(compiled)) {
    const folder = join(compiled, name);
    try {
      if (statSync(folder).mtimeMs < limit) await rm(folder, { recursive: true, force: true });
    } catch {
      // Another process removes it at the same time.
    }
  }
}
