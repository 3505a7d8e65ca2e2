import { describe, expect, it } from 'vitest';
import type { Report } from '../model.ts';
import { toJunit } from './junit.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleMisfit,
  sampleSkip,
  sampleWarning,
} from '../../../testing/sample-report.ts';
import { parseXml } from '../../../testing/parse-xml.ts';

const { run } = sampleReport();

describe('junit.xml', () => {
  it('has a testsuite for each suite and for its proofs, with totals that add up', () => {
    const root = parseXml(toJunit(sampleReport()));

    expect(root.attributes).toMatchObject({ tests: '8', failures: '3', errors: '0', skipped: '1' });
    expect(root.all('testsuite').map((suite) => [suite.attributes.name, suite.attributes.tests])).toEqual([
      ['toolman', '4'],
      ['tool-registry', '1'],
      ['toolman proofs', '3'],
    ]);
  });

  it('carries the summary as the message and the whole diagnosis as the text', () => {
    const root = parseXml(toJunit(sampleReport({ checks: [sampleFailure()], proofs: [] })));

    const [failure] = root.all('failure');
    expect(failure?.attributes.message).toBe('2 of 3 replicas became available within 90 s');
    expect(failure?.text).toContain(
      'expected: Deployment toolman: 3 available\nactual:   2\nbecause:  Deployment',
    );
    expect(failure?.text).toContain(
      '\n  +1.0 s  toolman-7c9d-x2l4: FailedScheduling: 0/4 nodes are available ×4\n',
    );
  });

  it('distinguishes an errored check from a failed one', () => {
    const errored = sampleFailure({ id: 'toolman/T-29', status: 'errored' });
    const root = parseXml(toJunit(sampleReport({ checks: [sampleFailure(), errored], proofs: [] })));

    expect(root.attributes).toMatchObject({ tests: '2', failures: '1', errors: '1' });
    expect(root.all('error')[0]?.attributes).toMatchObject({ type: 'InfrastructureError' });
  });

  it('has an errored proof as an error, and a fault that is not provable as skipped', () => {
    const proofs = [
      sampleProof(),
      sampleProof({ fault: 'b', outcome: 'missed' }),
      sampleProof({ fault: 'c', outcome: 'errored' }),
      sampleProof({ fault: 'd', outcome: 'not-provable', reason: 'it does not fit' }),
    ];
    const root = parseXml(toJunit(sampleReport({ checks: [], proofs })));

    const [suite] = root.all('testsuite');
    expect(suite?.attributes).toMatchObject({ tests: '4', failures: '1', errors: '1', skipped: '1' });
    expect(root.all('skipped')[0]?.attributes.message).toBe('not provable here: it does not fit');
  });

  it('carries requirements, observations, attachments and the reason of a skip', () => {
    const root = parseXml(toJunit(sampleReport({ checks: [sampleFailure(), sampleSkip()], proofs: [] })));

    const properties = root
      .all('testcase')[0]
      ?.all('property')
      .map((property) => property.attributes);
    expect(properties).toContainEqual({ name: 'requirement', value: 'T-28' });
    expect(root.all('system-out')[0]?.text).toContain('[[ATTACHMENT|toolman/T-28/events.yaml]]');
    expect(root.all('skipped')[0]?.attributes.message).toContain('does not enforce NetworkPolicy');
  });

  it('has what is not applicable as skipped, and a warning as passed with its text', () => {
    const root = parseXml(toJunit(sampleReport({ checks: [sampleMisfit(), sampleWarning()], proofs: [] })));

    const [suite] = root.all('testsuite');
    expect(suite?.attributes).toMatchObject({ tests: '2', failures: '0', errors: '0', skipped: '1' });
    expect(root.all('skipped').map(({ attributes }) => attributes.message)).toEqual([
      'not applicable: the chart renders no Service',
    ]);
    expect(root.all('system-out')[0]?.text).toContain('warning: container toolman has no memory limit');
    expect(root.all('system-out')[0]?.text).toContain('fix:      Set resources.limits.memory.');
  });

  it('reports an infrastructure error as an error in a suite of its own', () => {
    const error = { code: 'E_COMMAND', message: 'kind exited with 1', hint: 'Free some disk.' };
    const root = parseXml(
      toJunit(sampleReport({ checks: [], proofs: [], run: { ...run, exitCode: 3, error } })),
    );

    expect(root.attributes).toMatchObject({ tests: '1', failures: '0', errors: '1' });
    expect(root.all('testsuite')[0]?.attributes.name).toBe('kindproof');
    expect(root.all('error')[0]).toMatchObject({
      attributes: { type: 'E_COMMAND', message: 'kind exited with 1' },
      text: 'kind exited with 1\nFree some disk.',
    });
  });

  it('never reports a run without any check as a success', () => {
    const root = parseXml(toJunit(sampleReport({ checks: [], proofs: [] })));

    expect(root.attributes.errors).toBe('1');
  });

  it.each<[string, Partial<Report>, string]>([
    ['a check without a result', { checks: [sampleCheck()], plan: sampleReport().plan! }, 'E_INCOMPLETE'],
    ['only skipped checks', { checks: [sampleSkip()] }, 'E_NOTHING_CHECKED'],
    ['leftovers after a pass', { checks: [sampleCheck()], leftovers: ['container kp-1'] }, 'E_LEFTOVERS'],
  ])('has an error for %s', (_, parts, code) => {
    const root = parseXml(toJunit(sampleReport({ proofs: [], ...parts })));
    expect(root.attributes.errors).toBe('1');
    expect(root.all('error')[0]?.attributes.type).toBe(code);
  });

  it.each([
    ['markup', 'a < b && c > "d"', 'a < b && c > "d"'],
    ['the end of a CDATA section', 'x ]]> y', 'x ]]> y'],
    ['control characters and colours', '\u001b[31mbad\u001b[0m\u0000\u0008 end', 'bad end'],
    ['a lone surrogate', 'x \ud83d y', 'x \ufffd y'],
    ['a surrogate pair', 'x 🚀 y', 'x 🚀 y'],
  ])('stays well-formed with %s', (_, text, expected) => {
    const check = sampleFailure({ title: text, reason: text, observed: [text] });
    delete check.diagnosis;

    const root = parseXml(
      toJunit(sampleReport({ checks: [check], proofs: [sampleProof({ reason: text })] })),
    );

    expect(root.all('failure')[0]).toMatchObject({ attributes: { message: expected }, text: expected });
    expect(root.all('testcase')[0]?.attributes.name).toBe(`T-28 ${expected}`);
  });

  it('keeps newlines in attributes', () => {
    const check = sampleSkip({ reason: 'first\nsecond' });

    const xml = toJunit(sampleReport({ checks: [check, sampleCheck()], proofs: [] }));

    expect(xml).toContain('message="first&#10;second"');
  });
});
