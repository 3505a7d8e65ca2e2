import js from '@eslint/js';
import vitest from '@vitest/eslint-plugin';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * Which folder may import from which. A folder may always import from itself. An
 * import that is not listed here is an error, type imports included. dependency-cruiser (`npm run lint`) rejects cycles of files.
 */
const MAY_IMPORT = {
  'harness/core': [],

  // kube: the API server, and what is sent to it
  'harness/kube/api': ['harness/core'],
  'harness/kube/cluster': ['harness/core', 'harness/kube/api'],
  'harness/kube/manifests': ['harness/core', 'harness/kube/api'],
  'harness/kube/helm': ['harness/core', 'harness/kube/api', 'harness/kube/manifests'],
  'harness/kube/deploy': ['harness/core', 'harness/kube/api', 'harness/kube/manifests', 'harness/kube/helm'],

  // host: this machine, its programs and its container engine
  'harness/host/tools': ['harness/core'],
  'harness/host/images': ['harness/core', 'harness/kube/manifests'],
  'harness/host/preflight': ['harness/core', 'harness/host/tools'],

  // observe: what is the case, and why
  'harness/observe/recorder': ['harness/core', 'harness/kube/api'],
  'harness/observe/stalls': ['harness/core', 'harness/kube/api'],
  'harness/observe/diagnose': [
    'harness/core',
    'harness/kube/api',
    'harness/kube/manifests',
    'harness/observe/recorder',
  ],
  'harness/observe/predicates': [
    'harness/core',
    'harness/kube/api',
    'harness/kube/manifests',
    'harness/observe/recorder',
    'harness/observe/diagnose',
  ],
  'harness/observe/waits': ['harness/core', 'harness/kube/api', 'harness/observe'],
  'harness/observe/matchers': ['harness/core', 'harness/kube/api', 'harness/observe'],

  // run: from the options to the exit code
  'harness/run/report': [
    'harness/core',
    'harness/kube/cluster',
    'harness/observe/diagnose',
    'harness/observe/stalls',
  ],
  'harness/run/suite': [
    'harness/core',
    'harness/kube',
    'harness/host/images',
    'harness/observe',
    'harness/run/report',
  ],
  'harness/run/plan': ['harness/core', 'harness/kube/cluster', 'harness/run/suite'],
  'harness/run/runner': ['harness'],

  clusters: ['harness'],
  fixtures: ['harness', 'clusters'],
  suites: ['harness', 'clusters', 'fixtures'],
  scripts: ['harness', 'clusters', 'fixtures', 'suites'],
};

/** Stand-ins for the outside world. Tests may import them from anywhere, and they may import what they stand in for. */
const TEST_SUPPORT = ['harness/testing', 'clusters/testing', 'fixtures/testing'];
const TESTS = ['**/*.test.ts', ...TEST_SUPPORT.map((folder) => `${folder}/**`)];

/** Packages that exactly one folder may import, and what the others use. */
const OWNERS = {
  '@kubernetes/client-node': ['harness/kube/api', 'KubeClient (harness/kube/api/client.ts)'],
  execa: ['harness/core', 'a CommandRunner (harness/core/command.ts)'],
  testcontainers: ['fixtures/services', 'the services of fixtures/services'],
  pg: ['fixtures/services', 'Database (fixtures/services/postgres.ts)'],
  'vitest/node': ['harness/run/runner', 'runChecks (harness/run/runner/vitest-runner.ts)'],
};

const folders = Object.keys(MAY_IMPORT);

/** One zone for each folder: everything is forbidden but the folder itself and what the table lists. */
const zones = folders.map((folder) => ({
  target: `./${folder}`,
  from: '.',
  except: [folder, ...MAY_IMPORT[folder], 'node_modules'].map((path) => `./${path}`),
  message: `MAY_IMPORT in eslint.config.js does not list this import for ${folder}.`,
}));
zones.push(
  ...TEST_SUPPORT.map((folder) => ({
    target: '.',
    from: `./${folder}`,
    message: 'Only tests may import stand-ins.',
  })),
);

function restrictedPackages(folder) {
  const paths = Object.entries(OWNERS)
    .filter(([, [owner]]) => owner !== folder)
    .map(([name, [, instead]]) => ({ name, message: `Use ${instead}.` }));
  return ['error', { paths }];
}

export default tseslint.config(
  { ignores: ['node_modules/', 'runs/', '.cache/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions'] }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'max-len': ['error', { code: 1000, comments: 140, ignoreUrls: true }],
      'no-restricted-imports': restrictedPackages(),
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval'].map((name) => ({
          name,
          message: 'Use waitFor or Clock.sleep (harness/core/deadline.ts): they take a limit and a signal.',
        })),
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: TESTS,
    rules: { 'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }] },
  },
  ...[...new Set(Object.values(OWNERS).map(([owner]) => owner))].map((owner) => ({
    files: [`${owner}/**/*.ts`],
    rules: { 'no-restricted-imports': restrictedPackages(owner) },
  })),
  {
    // Timers belong into deadline.ts. The stand-in applications are programs of their own; tests use real timers.
    files: ['harness/core/deadline.ts', 'fixtures/images/**/src/**', '**/*.test.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    // Terminal output is made of control characters.
    files: ['harness/run/report/terminal/**', 'harness/testing/**'],
    rules: { 'no-control-regex': 'off' },
  },
  {
    files: ['**/*.test.ts'],
    plugins: { vitest },
    rules: {
      ...vitest.configs.recommended.rules,
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
