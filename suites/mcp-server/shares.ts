/** Whether requests are balanced over replicas, or shares differ more than chance allows. */
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';

/** Of a sound cluster that balances at random, one check in a million is red. */
const FALSE_ALARM_RATE = 1e-6;

/**
 * Each replica gets a share that random choice explains. An exact binomial test for each replica, both sides, with the false-alarm rate of
 * 1e-6 divided by their number (Bonferroni). kube-proxy chooses an endpoint at random for each connection (iptables, nftables) or in turn
 * (IPVS), which is more even.
 *
 * @param answers names of the replicas that answered, one for each request
 * @param replicas all replicas that should answer
 */
export function sharesAreFair(answers: readonly string[], replicas: readonly string[]): PredicateResult {
  const total = answers.length;
  const count = (replica: string): number => answers.filter((name) => name === replica).length;
  const counts = replicas.map((replica) => ({ replica, count: count(replica) }));
  const strangers = [...new Set(answers)].filter((name) => !replicas.includes(name));
  const level = FALSE_ALARM_RATE / Math.max(1, replicas.length) / 2;
  const details = [
    ...strangers.map((name) => `${name} answered, and is none of the replicas`),
    ...counts
      .filter((one) => isUnlikely(one.count, total, 1 / replicas.length, level))
      .map((one) => `${one.replica} answered ${one.count} of ${total} requests`),
  ];
  return {
    ok: total > 0 && replicas.length > 1 && details.length === 0,
    expected: `each of ${replicas.length} replicas answers about ${Math.round(total / Math.max(1, replicas.length))} of ${total} requests`,
    actual: counts.map((one) => `${one.replica} ${one.count}`).join(', ') || 'no replica',
    observed: [`requests by replica: ${counts.map((one) => `${one.replica} ${one.count}`).join(', ')}`],
    details,
  };
}

/** Whether a count is in one of the two tails of the binomial distribution that have the probability `level`. */
function isUnlikely(count: number, total: number, probability: number, level: number): boolean {
  const probabilities = Array.from({ length: total + 1 }, (_, k) => binomial(k, total, probability));
  const sum = (from: number, to: number): number =>
    probabilities.slice(from, to).reduce((all, one) => all + one, 0);
  return sum(0, count + 1) < level || sum(count, total + 1) < level;
}

function binomial(k: number, n: number, p: number): number {
  return Math.exp(logChoose(n, k) + k * Math.log(p) + (n - k) * Math.log(1 - p));
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i += 1) sum += Math.log((n - k + i) / i);
  return sum;
}
