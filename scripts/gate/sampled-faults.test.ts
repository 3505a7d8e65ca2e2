import { describe, expect, it } from 'vitest';
import type { Fault } from '../../harness/run/suite/definition.ts';
import { parseOptions } from '../../harness/run/plan/options.ts';
import { planRun } from '../../harness/run/plan/plan.ts';
import { loadCatalogue, suites } from '../../suites/index.ts';
import { e2eArguments, parseGateOptions } from './gate-options.ts';

const FIRST_DAY = Math.floor(Date.UTC(2026, 0, 1) / 86_400_000);
const DAYS = Array.from({ length: 365 }, (_, day) => FIRST_DAY + day);
const SAMPLE = 8;

// The faults for any chart need no stand-in of an image, and the suite of all systems has fewer of them.
describe.each(suites.filter(({ anyChart, faults }) => anyChart !== true && faults.length > SAMPLE))(
  'the gate of $name with images of the user',
  (definition) => {
    const images = definition.subject.images.flatMap(({ name }) => ['--image', `${name}=me/${name}:1`]);
    const gate = parseGateOptions(['--suite', definition.name, ...images], () => {});
    const options = parseOptions(e2eArguments(gate!), () => {})!;
    const ofImage = ({ standIn }: Fault): boolean =>
      definition.subject.images.some(({ name }) => name === standIn?.part);
    const marked = new Set(definition.faults.filter(ofImage).map(({ name }) => name));

    it('samples no fault of a stand-in on any of 365 days, and always as many faults as asked for', async () => {
      const catalogue = await loadCatalogue();
      expect(marked.size).toBeGreaterThan(0);
      const seen = new Set<string>();
      for (const day of DAYS) {
        const [suite] = planRun(options, catalogue, 'id', day).suites;
        expect(suite?.faults.filter((name) => marked.has(name))).toEqual([]);
        expect(new Set(suite?.faults).size).toBe(SAMPLE);
        expect(suite?.notProvable.map(({ fault }) => fault)).toEqual([...marked]);
        for (const name of suite?.faults ?? []) seen.add(name);
      }
      expect(seen.size).toBe(definition.faults.length - marked.size);
    });
  },
);
