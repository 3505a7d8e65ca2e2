import { describe, expect, it } from 'vitest';
import { object } from '../../../harness/testing/sample-objects.ts';
import { cleanUpLabel } from './labelled.ts';

const labelled = (labels?: Record<string, string>) => ({
  ...object('v1', 'Secret', 'a'),
  metadata: { name: 'a', ...(labels && { labels }) },
});

describe('cleanUpLabel', () => {
  it('is the documented one when an object has it', () => {
    expect(cleanUpLabel([labelled(), labelled({ app: 'tool-registry' })])).toBe('app=tool-registry');
  });

  it('is otherwise one that all objects have', () => {
    expect(cleanUpLabel([labelled({ tier: 'x', part: 'c' }), labelled({ part: 'c' })])).toBe('part=c');
  });

  it('does not fit when they have none in common', () => {
    expect(() => cleanUpLabel([labelled({ tier: 'x' }), labelled()])).toThrow(/no label in common/);
  });
});
