/**
 * Loaded by Node into a run under torture, with `NODE_OPTIONS=--import`. When the file KINDPROOF_TORTURE_WORKER appears, the worker thread,
 * which executes the checks, does what the file says: `memory` takes memory until none is left, `block` never returns to the event loop.
 */
import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { isMainThread } from 'node:worker_threads';

const order = process.env['KINDPROOF_TORTURE_WORKER'];
if (!isMainThread && order !== undefined) {
  setInterval(() => {
    switch (read(order)) {
      case 'memory': {
        const taken = [];
        for (;;) taken.push(new Array(100_000).fill(taken.length));
      }
      case 'block':
        for (;;);
    }
  }, 50).unref();
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
