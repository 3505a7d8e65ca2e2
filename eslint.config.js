import js from '@eslint/js';
import vitest from '@vitest/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Imports go downwards only: suites -> fixtures -> clusters -> harness. scripts puts everything together. */
const borders = [
  { from: 'harness', not: ['clusters', 'fixtures', 'suites', 'scripts'] },
  { from: 'clusters', not: ['fixtures', 'suites', 'scripts'] },
  { from: 'fixtures', not: ['suites', 'scripts'] },
  { from: 'suites', not: ['scripts'] },
];

/** Packages that exactly one place may know. */
const gates = {
  '@kubernetes/client-node': {
    only: ['harness/kube/**'],
    why: 'Use the KubeClient port (harness/kube/api/client.ts).',
  },
  execa: { only: ['harness/core/command.ts'], why: 'Use a CommandRunner (harness/core/command.ts).' },
  testcontainers: { only: ['fixtures/services/**'], why: 'Use the services of fixtures/services.' },
  pg: { only: ['fixtures/services/**'], why: 'Use Database of fixtures/services/postgres.ts.' },
  'vitest/node': { only: ['harness/runner/**'], why: 'Only the runner drives vitest.' },
};

/** The rule for a folder, or for the one place that may know some packages (`except`). */
function restricted(folder, except = []) {
  const forbidden = borders.find(({ from }) => from === folder)?.not ?? [];
  return [
    'error',
    {
      paths: Object.entries(gates)
        .filter(([name]) => !except.includes(name))
        .map(([name, { why }]) => ({ name, message: why })),
      patterns: forbidden.map((target) => ({
        regex: `^(\\.\\./)+${target}/`,
        message: 'Imports go downwards only: suites -> fixtures -> clusters -> harness.',
      })),
    },
  ];
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
      'no-restricted-globals': [
        'error',
        {
          name: 'setTimeout',
          message: 'Wait with harness/core/deadline.ts, which takes a limit and a signal.',
        },
        {
          name: 'setInterval',
          message: 'Wait with harness/core/deadline.ts, which takes a limit and a signal.',
        },
      ],
    },
  },
  ...['harness', 'clusters', 'fixtures', 'suites', 'scripts'].map((folder) => ({
    files: [`${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': restricted(folder) },
  })),
  ...[...new Set(Object.values(gates).map(({ only }) => only))].map((only) => ({
    files: only,
    rules: {
      'no-restricted-imports': restricted(
        only[0].split('/')[0],
        Object.keys(gates).filter((name) => gates[name].only.join() === only.join()),
      ),
    },
  })),
  {
    // Timers live here; the stand-in applications have their own life; tests measure with real ones.
    files: ['harness/core/deadline.ts', 'fixtures/images/**/src/**', '**/*.test.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    // Terminal output is made of control characters.
    files: ['harness/report/terminal/**', 'harness/run/report/terminal.test.ts'],
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
