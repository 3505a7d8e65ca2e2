import { configDefaults, defineConfig } from 'vitest/config';

const FOLDERS = '{harness,clusters,fixtures,suites,scripts}';

/** Files that replace modules, or start vitest in their own process: each needs modules and globals of its own. */
const ISOLATED = ['harness/run/runner/**/*.test.ts', 'scripts/**/*.test.ts', 'suites/misfits.test.ts'];

/** Unit tests. The suites' checks (*.e2e.ts) need a cluster; `npm run e2e` runs them. */
export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Some tests start real processes; two workers are enough for two cores.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'isolated', include: ISOLATED } },
      {
        extends: true,
        test: {
          name: 'shared',
          include: [`${FOLDERS}/**/*.test.ts`],
          exclude: [...configDefaults.exclude, ...ISOLATED],
          // Most files take less time than the modules that they import, which are loaded once for all of them.
          isolate: false,
          pool: 'threads',
        },
      },
    ],
  },
});
