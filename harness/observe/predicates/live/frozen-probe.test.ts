import { describe, expect, it } from 'vitest';
import { makeEvent } from '../../../testing/sample-world.ts';
import { blindness, canBeCounted, failuresOf, noticesFreeze, patienceOf } from './frozen-probe.ts';

const unhealthy = (container: string, probe: string, count: number) =>
  makeEvent({
    reason: 'Unhealthy',
    message: `${probe} probe failed: timeout`,
    count,
    about: { fieldPath: `spec.containers{${container}}` },
  });
const probe = { container: 'app', name: 'livenessProbe', probe: { exec: { command: ['true'] } } } as const;

it('counts the failures of one probe of one container', () => {
  const events = [
    unhealthy('app', 'Liveness', 2),
    unhealthy('app', 'Readiness', 4),
    unhealthy('other', 'Liveness', 8),
  ];
  expect(failuresOf(events, probe)).toBe(2);
});

describe('blindness', () => {
  it.each([
    ['a control that has failed too few times', { probe: 0, control: 4, all: 0 }, undefined],
    ['a probe that has failed', { probe: 2, control: 9, all: 2 }, undefined],
    ['a pod with so many events that others are dropped', { probe: 0, control: 9, all: 20 }, undefined],
    [
      'a probe that never fails',
      { probe: 0, control: 5, all: 3 },
      'since all processes of container app are frozen, its livenessProbe (it runs true) has failed 0 times, and that of a control 5 times',
    ],
  ])('%s', (_, failed, expected) => {
    expect(blindness({ ...probe, probe: { exec: { command: ['true'] } } }, failed)).toBe(expected);
  });
});

it('asks nothing of a probe that opens a port', () => {
  expect(noticesFreeze({ tcpSocket: { port: 80 } })).toBe(false);
  expect(noticesFreeze({ httpGet: { port: 80 } })).toBe(true);
});

it('knows how long a probe takes', () => {
  expect(patienceOf({})).toBe(30);
  expect(
    patienceOf({ periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 4, initialDelaySeconds: 7 }),
  ).toBe(27);
  expect(canBeCounted({ initialDelaySeconds: 20, periodSeconds: 1 })).toBe(false);
});
