// Entry of every npm script. Plain JavaScript, because it runs before anything is installed: it checks the Node version, installs
// node_modules on a clean clone, compiles the TypeScript, and runs the command in this process. The scripts of package.json start it with `exec`:
// npm passes signals to its shell, which would not pass them on.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [command, ...argv] = process.argv.slice(2);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `kindproof needs Node 20.19 or newer, this is ${process.version}.\nInstall a newer Node and run again.`,
  );
  process.exit(2);
}

const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts;
const commands = Object.values(scripts)
  .map((line) => /^exec node scripts\/run\.mjs (\S+)/.exec(line)?.[1])
  .filter((name) => name !== undefined && existsSync(join(root, 'scripts', `${name}.ts`)));
if (!commands.includes(command)) {
  const which = command === undefined ? 'No command was given.' : `There is no command "${command}".`;
  console.error(`${which}\nAvailable: ${[...new Set(commands)].map((name) => `npm run ${name}`).join(', ')}`);
  process.exit(2);
}

// npm writes this file at the end of every install. If it is older than the lock file, the lock file has changed since.
const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('Installing the packages of package-lock.json (node_modules is missing or older) …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) {
    console.error(
      '\n`npm ci` failed, so nothing ran. See the lines above; the package registry must be reachable.',
    );
    process.exit(3);
  }
}

process.setSourceMapsEnabled(true);
const { compile } = await import('./compile.mjs');
const code = await compile(root).catch((error) => {
  console.error(`kindproof itself could not be compiled, so nothing ran.\n${error.message}`);
  process.exit(3);
});
// For what loads code by its path: the runner of the checks, and the post-renderer that helm starts.
process.env.KINDPROOF_CODE = code;
const { runCommand } = await import(pathToFileURL(join(code, 'scripts', 'run-command.mjs')).href);
await runCommand(async () => {
  const { main } = await import(pathToFileURL(join(code, 'scripts', `${command}.mjs`)).href);
  return main(argv);
});
