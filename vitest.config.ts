import { defineConfig } from 'vitest/config';

/** Unit tests. The suites' checks (*.e2e.ts) need a cluster and are run by `npm run e2e`. */
export default defineConfig({
  test: {
    include: ['{harness,clusters,fixtures,suites,scripts}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Some tests start real processes; two cores do not need more.
    maxWorkers: 2,
  },
});
