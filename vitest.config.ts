import { defineConfig } from 'vitest/config';

/** Unit tests. The suites' checks (*.e2e.ts) need a cluster; `npm run e2e` runs them. */
export default defineConfig({
  test: {
    include: ['{harness,clusters,fixtures,suites,scripts}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Some tests start real processes; two workers are enough for two cores.
    maxWorkers: 2,
  },
});
