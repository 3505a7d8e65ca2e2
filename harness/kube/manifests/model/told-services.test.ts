import { expect, it } from 'vitest';
import type { Service } from '../../api/types.ts';
import { sampleConfigMap, sampleContainer, sampleDeployment } from '../../../testing/sample-objects.ts';
import { modelOf } from './subject-model.ts';
import { toldServices } from './told-services.ts';

const service = (name: string, ...ports: number[]): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: ports.map((port) => ({ port })) },
});
const SERVICES = [service('db', 5432), service('web', 80, 9090)];
const told = (value: string, data: Record<string, string> = {}): string[] => {
  const container = sampleContainer({ env: [{ name: 'TARGET', value }] });
  const objects = [sampleConfigMap(data), sampleDeployment({ containers: [container] })];
  const [workload] = modelOf(objects, { namespace: 'kp-x' }).workloads;
  return workload ? toldServices(workload, SERVICES).map((one) => `${one.words} ${one.port}`) : [];
};

it.each<[string, string[]]>([
  ['http://web/path', ['http://web 80']],
  ['http://web:9090', ['http://web:9090 9090']],
  ['postgresql://user:secret@db/app', ['postgresql://db 5432']],
  ['db:5432', ['db:5432 5432']],
  ['db.kp-x.svc.cluster.local:5432', ['db.kp-x.svc.cluster.local:5432 5432']],
  ['--upstream=web:80', ['web:80 80']],
  // Names alone, other ports and longer names are no order to call the Service.
  ['db', []],
  ['web.kp-x.svc', []],
  ['db:1', []],
  ['http://web-2/', []],
  ['http://my.web:80/', []],
])('reads %s', (value, expected) => {
  expect(told(value)).toEqual(expected);
});

it('reads ConfigMaps that the containers use', () => {
  expect(told('', { 'a.json': '{"database": "db:5432"}' })).toEqual(['db:5432 5432']);
});
