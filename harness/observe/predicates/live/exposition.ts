/** HTTP answers that Prometheus can scrape. */
import type { HttpAnswer } from '../../../kube/api/client.ts';
import type { PredicateResult } from '../result.ts';

/** `name{labels} value [timestamp]` (Prometheus documentation, "Exposition formats"). */
const SAMPLE = /^[a-zA-Z_:][\w:]*(?:\{.*\})? (?:[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|Inf)|NaN)(?: -?\d+)?$/i;
const CONTENT_TYPE = /^(?:text\/plain|application\/openmetrics-text)\b/;

/** The answer is 200, in the text exposition format, with at least one sample. */
export function isExposition(
  answer: Pick<HttpAnswer, 'status' | 'headers' | 'body'>,
  title: string,
): PredicateResult {
  const type = answer.headers['content-type'] ?? 'no content type';
  const lines = answer.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const bad = lines.filter((line) => !SAMPLE.test(line));
  const details = [
    ...(answer.status === 200 ? [] : [`status ${answer.status}`]),
    ...(CONTENT_TYPE.test(type) ? [] : [`content type ${type}`]),
    ...(lines.length === 0 ? ['no sample'] : []),
    ...bad.slice(0, 3).map((line) => `no sample: ${line.slice(0, 80)}`),
  ];
  return {
    ok: details.length === 0,
    expected: `${title}: 200 in the exposition format`,
    actual: details[0] ?? `${lines.length} samples`,
    observed: [`${title}: ${answer.status}, ${type}, ${lines.length - bad.length} samples`],
    details,
  };
}
