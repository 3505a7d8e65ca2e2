import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InfrastructureError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import { createRedactor } from '../../core/redact.ts';
import { sampleCheck, sampleReport } from '../../testing/sample-report.ts';
import type { RunEvent } from './events.ts';
import { createMultiplexer } from './multiplexer.ts';
import type { Reporter } from './reporter.ts';

const secret = 'canary-5f2e';
const phase: RunEvent = { type: 'phase-started', name: 'cluster' };

function setUp(reporters: readonly Reporter[]) {
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, error: (message, meta) => logged.push([message, meta]) };
  return { logged, multiplexer: createMultiplexer(reporters, { redact: createRedactor([secret]), log }) };
}

/** A reporter that notes its events. */
function recorder(name: string, seen: string[]): Reporter {
  return {
    name,
    onEvent: (event) => seen.push(`${name}: ${event.type === 'notice' ? event.text : event.type}`),
    close: () => seen.push(`${name}: closed`),
  };
}

describe('events', () => {
  it('reach every reporter, in the order of the reporters', () => {
    const seen: string[] = [];
    const { multiplexer } = setUp([recorder('a', seen), recorder('b', seen)]);

    multiplexer.emit(phase);
    multiplexer.emit({ type: 'notice', level: 'info', text: 'hello' });
    multiplexer.close();

    expect(seen).toEqual([
      'a: phase-started',
      'b: phase-started',
      'a: hello',
      'b: hello',
      'a: closed',
      'b: closed',
    ]);
  });

  it('contain no secret', () => {
    const seen: RunEvent[] = [];
    const { multiplexer } = setUp([{ name: 'a', onEvent: (event) => seen.push(event) }]);

    multiplexer.emit({ type: 'notice', level: 'info', text: `it is ${secret}` });

    expect(seen).toEqual([{ type: 'notice', level: 'info', text: 'it is •••' }]);
  });
});

describe('a reporter that throws on an event', () => {
  const thrower = (seen: string[]): Reporter => ({
    ...recorder('bad', seen),
    onEvent() {
      seen.push('bad: threw');
      throw new Error(`broken by ${secret}`);
    },
  });

  it('gets no further events, and the others get one warning', () => {
    const seen: string[] = [];
    const { multiplexer, logged } = setUp([recorder('a', seen), thrower(seen), recorder('b', seen)]);

    multiplexer.emit(phase);
    multiplexer.emit(phase);

    const warning = 'the bad reporter failed and shows nothing more: broken by •••';
    expect(seen).toEqual([
      'a: phase-started',
      'bad: threw',
      'b: phase-started',
      `a: ${warning}`,
      `b: ${warning}`,
      'a: phase-started',
      'b: phase-started',
    ]);
    expect(logged).toEqual([
      ['reporter failed', expect.objectContaining({ reporter: 'bad', event: 'phase-started' })],
    ]);
  });

  it('is closed, also when closing another one throws', () => {
    const seen: string[] = [];
    const unclosable: Reporter = {
      name: 'unclosable',
      close() {
        throw new Error('stuck');
      },
    };
    const { multiplexer, logged } = setUp([unclosable, thrower(seen)]);

    multiplexer.emit(phase);
    multiplexer.close();

    expect(seen.at(-1)).toBe('bad: closed');
    expect(logged).toHaveLength(2);
  });

  it('does not stop the multiplexer when every reporter throws', () => {
    const seen: string[] = [];
    const { multiplexer } = setUp([thrower(seen), thrower(seen)]);

    multiplexer.emit(phase);

    expect(seen).toEqual(['bad: threw', 'bad: threw']);
  });
});

describe('write', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'kp-multiplexer-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const writer = (name: string): Reporter => ({
    name,
    async write(report, folder) {
      const file = path.join(folder, name);
      await writeFile(file, JSON.stringify(report));
      return [file];
    },
  });

  it('returns no failure when every file exists', async () => {
    const { multiplexer } = setUp([writer('a'), { name: 'events only' }]);

    expect(await multiplexer.write(sampleReport(), directory)).toEqual([]);
  });

  it('hands out a report without secrets', async () => {
    const titles: (string | undefined)[] = [];
    const { multiplexer } = setUp([
      {
        name: 'a',
        write: (report) => {
          titles.push(report.checks[0]?.title);
          return Promise.resolve([]);
        },
      },
    ]);

    await multiplexer.write(sampleReport({ checks: [sampleCheck({ title: `uses ${secret}` })] }), directory);

    expect(titles).toEqual(['uses •••']);
  });

  it('returns the reporters that throw or whose file is missing, and lets the others write', async () => {
    const full = new InfrastructureError('E_REPORT_WRITE', 'could not write x', { hint: 'Free some space.' });
    const missing = path.join(directory, 'missing.xml');
    const { multiplexer, logged } = setUp([
      { name: 'throws', write: () => Promise.reject(full) },
      { name: 'forgets', write: () => Promise.resolve([missing]) },
      writer('works'),
    ]);

    const failures = await multiplexer.write(sampleReport(), directory);

    expect(failures).toEqual([
      {
        name: 'throws',
        code: 'E_REPORT_WRITE',
        message: 'the throws reporter failed: could not write x',
        hint: 'Free some space.',
      },
      {
        name: 'forgets',
        code: 'E_REPORT_WRITE',
        message: expect.stringContaining(`${missing} does not exist after writing`),
      },
    ]);
    expect(logged).toHaveLength(2);
  });

  it('writes again in a second round, also with a reporter that failed before', async () => {
    const rounds: string[] = [];
    const { multiplexer } = setUp([
      {
        name: 'recovers',
        write: (report) => {
          rounds.push(report.run.verdict);
          return rounds.length === 1 ? Promise.reject(new Error('busy')) : Promise.resolve([]);
        },
      },
    ]);
    const report = sampleReport();

    const first = await multiplexer.write(report, directory);
    report.run.verdict = 'no verdict';
    const second = await multiplexer.write(report, directory);

    expect([first.length, second.length]).toEqual([1, 0]);
    expect(rounds).toEqual(['failed', 'no verdict']);
  });
});
