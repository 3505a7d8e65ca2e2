/** All suites, and the catalogue of requirements that they cover. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { loadRequirements, requirementsOf, type Requirement } from '../harness/run/suite/requirements.ts';
import type { CataloguedSuite, UncheckedSuite } from '../harness/run/plan/plan.ts';
import type { SuiteDefinition } from '../harness/run/suite/definition.ts';
import { anyChart } from './any-chart/suite.ts';
import { agent } from './k8s-mcp-agent/suite.ts';
import { mcpServer } from './mcp-server/suite.ts';
import { registry } from './tool-registry/suite.ts';
import { together } from './together/suite.ts';
import { toolman } from './toolman/suite.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Suites with checks. */
export const suites: readonly SuiteDefinition[] = [toolman, registry, agent, mcpServer, anyChart, together];

/** Names of the suites in the catalogue, in its order. */
const catalogued = ['toolman', 'tool-registry', 'k8s-mcp-agent', 'mcp-server'] as const;

/** The suites with checks, each with its requirements. */
export async function loadCatalogue(): Promise<CataloguedSuite[]> {
  const shared = await loadRequirements(join(here, 'requirements.yaml'));
  return Promise.all(
    suites.map(async (definition) => ({
      definition,
      requirements: await requirementsOf(definition),
      shared,
    })),
  );
}

/** Catalogued suites without checks, and the shared requirements of all suites as suite `all`. */
export function loadUncheckedSuites(): Promise<UncheckedSuite[]> {
  const names = catalogued.filter((name) => !suites.some((s) => s.name === name));
  return Promise.all(
    [...names, 'all'].map(async (name) => ({
      name,
      requirements: await loadRequirements(join(here, name === 'all' ? '' : name, 'requirements.yaml')),
    })),
  );
}

/** Every requirement of the catalogue with its suite; the shared ones have the suite `all`. */
export async function loadAllRequirements(): Promise<(Requirement & { suite: string })[]> {
  const own = await Promise.all(
    catalogued.map(async (suite) =>
      (await loadRequirements(join(here, suite, 'requirements.yaml'))).map((row) => ({ ...row, suite })),
    ),
  );
  const shared = await loadRequirements(join(here, 'requirements.yaml'));
  return [...own.flat(), ...shared.map((row) => ({ ...row, suite: 'all' }))];
}
