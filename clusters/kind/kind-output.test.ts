import { describe, expect, it } from 'vitest';
import { likelyCause } from './creation-cause.ts';
import { parseKindStage } from './kind-progress.ts';

describe('parseKindStage', () => {
  it.each([
    [' • Preparing nodes 📦 📦 📦  ...', { title: 'preparing nodes', state: 'started' }],
    [' ✓ Starting control-plane 🕹️', { title: 'starting control-plane', state: 'done' }],
    [' ✗ Joining worker nodes 🚜', { title: 'joining worker nodes', state: 'failed' }],
    [
      ' • Ensuring node image (kindest/node:v1.36.3) 🖼  ...',
      { title: 'ensuring node image (kindest/node:v1.36.3)', state: 'started' },
    ],
    ['Creating cluster "x" ...', undefined],
    ['', undefined],
  ])('reads %j', (line, expected) => {
    expect(parseKindStage(line)).toEqual(expected);
  });
});

describe('likelyCause', () => {
  it.each([
    ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock', /engine does not answer/],
    ['write /var/x: no space left on device', /disk is full/],
    [
      'could not find a log line that matches "Reached target .*Multi-User System.*"',
      /systemd did not start/,
    ],
    // The cause of the missing log line wins over the missing line.
    [
      'could not find a log line that matches\nFailed to allocate directory watch: Too many open files',
      /inotify/,
    ],
    ['kubelet is configured to not run on a host using cgroup v1', /rejects cgroup v1/],
    [
      'docker: Error response from daemon: Bind for 127.0.0.1:1 failed: port is already allocated',
      /uses the port/,
    ],
    ['something else', /no known cause/],
  ])('finds the cause in %j', (output, cause) => {
    expect(likelyCause(output).cause).toMatch(cause);
  });
});
