/** The values files of a chart for the environments. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DoesNotFit } from '../../harness/core/errors.ts';

/** From the smallest to the largest. */
export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;

export type Environment = (typeof ENVIRONMENTS)[number];

const NAMES: Readonly<Record<Environment, RegExp>> = {
  dev: /^values[-.]dev(elopment)?\.ya?ml$/,
  staging: /^values[-.]stag(e|ing)\.ya?ml$/,
  production: /^values[-.]prod(uction)?\.ya?ml$/,
};

/**
 * Path of the file for each environment.
 *
 * @param chart folder of the chart
 * @throws DoesNotFit when it has no file for one of them
 */
export async function environmentFiles(chart: string): Promise<Record<Environment, string>> {
  const names = await readdir(chart).catch((): string[] => []);
  const paths = ENVIRONMENTS.map((environment) => {
    const name = names.find((file) => NAMES[environment].test(file));
    if (name === undefined) throw new DoesNotFit(`the chart has no values file for ${environment}`);
    return [environment, join(chart, name)] as const;
  });
  return Object.fromEntries(paths) as Record<Environment, string>;
}
