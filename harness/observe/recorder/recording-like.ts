/** What diagnosis and checks ask of a recording. */
import type { Recording } from './recording.ts';

export type RecordingLike = Pick<
  Recording,
  | 'changes'
  | 'moments'
  | 'restarts'
  | 'oomKills'
  | 'warningEvents'
  | 'everUnready'
  | 'initEndedBeforeMainStarted'
>;
