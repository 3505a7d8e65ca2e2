import { describe, expect, it } from 'vitest';
import { sleepingClock } from '../testing/sleeping-clock.ts';
import { Lifecycle } from './lifecycle.ts';
import { silentLog } from './log.ts';

describe('Lifecycle', () => {
  it('undoes in reverse order and announces each step', async () => {
    const done: string[] = [];
    const lifecycle = new Lifecycle();
    for (const name of ['cluster', 'namespace', 'release']) lifecycle.defer(name, () => void done.push(name));
    const failures = await lifecycle.close((title) => done.push(`now ${title}`));
    expect(failures).toEqual([]);
    expect(done).toEqual(['now release', 'release', 'now namespace', 'namespace', 'now cluster', 'cluster']);
  });

  it('continues after a failed step and returns the failures', async () => {
    const done: string[] = [];
    const lifecycle = new Lifecycle();
    const late = new Error('late');
    const early = new Error('early');
    lifecycle.defer('first', () => void done.push('first'));
    lifecycle.defer('rejects', () => Promise.reject(late));
    lifecycle.defer('throws', () => {
      throw early;
    });
    expect(await lifecycle.close()).toEqual([
      { title: 'throws', error: early },
      { title: 'rejects', error: late },
    ]);
    expect(done).toEqual(['first']);
  });

  it('tries every step when neither terminal nor log works', async () => {
    const done: string[] = [];
    const full = (): never => {
      throw new Error('ENOSPC: no space left on device');
    };
    const lifecycle = new Lifecycle({ debug: full, info: full, warn: full, error: full });
    const failed = new Error('forbidden');
    lifecycle.defer('first', () => void done.push('first'));
    lifecycle.defer('fails', () => Promise.reject(failed));
    lifecycle.defer('second', () => void done.push('second'));
    expect(await lifecycle.close(full)).toEqual([{ title: 'fails', error: failed }]);
    expect(done).toEqual(['second', 'first']);
  });

  it('gives up a step that does not end, and continues', async () => {
    const done: string[] = [];
    const lifecycle = new Lifecycle(silentLog, sleepingClock());
    lifecycle.defer('first', () => void done.push('first'));
    lifecycle.defer('delete cluster', () => new Promise(() => {}));
    expect(await lifecycle.close()).toEqual([
      {
        title: 'delete cluster',
        error: expect.objectContaining({
          code: 'E_UNDO_TIMEOUT',
          message: 'it did not end within 10 min 00 s',
        }) as Error,
      },
    ]);
    expect(done).toEqual(['first']);
  });

  it('does not undo twice when closed twice', async () => {
    let count = 0;
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const lifecycle = new Lifecycle();
    lifecycle.defer('slow', () => {
      count += 1;
      return finished;
    });
    const first = lifecycle.close();
    const second = lifecycle.close();
    finish();
    expect(await Promise.all([first, second])).toEqual([[], []]);
    expect(count).toBe(1);
  });

  it('removes only the entry that should stay', async () => {
    const done: string[] = [];
    const lifecycle = new Lifecycle();
    lifecycle.defer('goes', () => void done.push('goes'));
    const forget = lifecycle.defer('stays', () => void done.push('stays'));
    forget();
    forget();
    await lifecycle.close();
    expect(done).toEqual(['goes']);
  });

  it('rejects a registration while closing', async () => {
    const lifecycle = new Lifecycle();
    let refused: unknown;
    lifecycle.defer('closing', () => {
      try {
        lifecycle.defer('late', () => {});
      } catch (error) {
        refused = error;
      }
    });
    await lifecycle.close();
    expect(refused).toMatchObject({ message: 'cannot register "late": the lifecycle is already closing' });
  });
});
