import { describe, expect, it } from 'vitest';
import { UsageError } from '../../harness/core/errors.ts';
import { refusedOnPurpose } from './refused-on-purpose.ts';

describe('refusedOnPurpose', () => {
  it.each<[string, `E_${string}`, string, boolean]>([
    ['the words of the reference', 'E_TEMPLATE', 'a/b.yaml:1:2: gpu: none; enable exactly one of …', true],
    ['other words', 'E_TEMPLATE', 'a/b.yaml:1:2: choose a single way to reach the GPUs', true],
    ['a schema', 'E_VALUES_SCHEMA', 'the values violate the schema of chart a: gpu: oneOf failed', true],
    ['a message about something else', 'E_TEMPLATE', 'gpu/b.yaml:1:2: image.tag is required', false],
    ['a mistake of a template', 'E_TEMPLATE', 'a/b.yaml:1:2: .Values.gpu.x.y: nil pointer evaluating', false],
    ['broken YAML', 'E_TEMPLATE', 'a/gpu.yaml does not render valid YAML: line 3', false],
    ['a missing dependency', 'E_CHART', 'chart a lacks its dependencies: gpu-operator', false],
  ])('%s', (_title, code, message, ok) => {
    expect(refusedOnPurpose(new UsageError(code, message), 'it', /gpu/i)).toMatchObject({ ok });
  });
});
