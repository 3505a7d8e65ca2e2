/** Turns the times of the contenders into rows of figures. Pure. */
import { ratio, row, type Row } from './result.ts';

export const CONTENDERS = ['helm', 'chainsaw', 'kindproof'] as const;

export type Contender = (typeof CONTENDERS)[number];

/** Milliseconds of each in one round. */
export type PeerRound = Record<Contender, number>;

/** The most that kindproof should take, as a part of what the other takes. */
export const TARGETS = { chainsaw: 0.8, helm: 1.25 } as const;

/** Ratios are computed within a round, so that slow periods of the machine cancel out. */
export function peerRows(rounds: readonly PeerRound[]): Row[] {
  return [
    row('helm install and uninstall, --wait', 'ms', rounds, ({ helm }) => helm),
    row('chainsaw', 'ms', rounds, ({ chainsaw }) => chainsaw),
    row('kindproof', 'ms', rounds, ({ kindproof }) => kindproof),
    ...(['chainsaw', 'helm'] as const).map((peer) =>
      row(`kindproof : ${peer}, target ${TARGETS[peer]}`, 'ratio', rounds, (round) =>
        ratio(round.kindproof, round[peer]),
      ),
    ),
  ].filter((one) => one !== undefined);
}

/** The elements in the same order, beginning with another one: whoever comes first in each round may find a cluster that is colder. */
export function rotated<T>(all: readonly T[], by: number): T[] {
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}
