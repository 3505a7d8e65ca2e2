import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Node, Pod } from '../../kube/api/types.ts';
import { ago, makeNode, makePod } from '../../testing/sample-world.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';
import type { DemandedPod } from './release-demand.ts';
import { type Reservation, Room, ROOM_MS, type RoomDeps, type RoomRequest } from './room.ts';

const pods = (count: number, cpu: number, more: Partial<DemandedPod> = {}): DemandedPod[] =>
  Array.from({ length: count }, () => ({
    of: 'Deployment web',
    requests: { cpu, memory: 0 },
    spec: {},
    apart: false,
    surge: false,
    ...more,
  }));

function request(by: string, demand: DemandedPod[], more: Partial<RoomRequest> = {}): RoomRequest {
  return {
    by,
    suite: 'app',
    releases: 1,
    pods: () => Promise.resolve(demand),
    namespaces: () => [`kp-r-${by}`],
    ...more,
  };
}

function live(namespace: string, cpu: number, node: string, isTerminating = false): Pod {
  return makePod({
    phase: 'Running',
    metadata: { namespace, ...(isTerminating && { deletionTimestamp: ago(1) }) },
    spec: {
      nodeName: node,
      containers: [{ name: 'app', image: 'web:1', resources: { requests: { cpu: `${cpu}m` } } }],
    },
  });
}

/** Two nodes of 2 cores. */
class World {
  nodes: Node[] | Error = [makeNode('one'), makeNode('two')];
  pods: Pod[] | Error = [];
  readonly lists: string[] = [];
  /** Called with the number of each list of pods, before it is answered. */
  onPods: (time: number) => void = () => {};
  readonly warnings: unknown[] = [];
  readonly interruption = new AbortController();
  readonly clock = sleepingClock(0);
  readonly room = new Room(8);
  readonly granted: string[] = [];

  get deps(): RoomDeps {
    const list = ((kind: string) => {
      this.lists.push(kind);
      if (kind === 'Pod') this.onPods(this.lists.filter((one) => one === 'Pod').length);
      const found = kind === 'Pod' ? this.pods : this.nodes;
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    }) as KubeClient['list'];
    const log: Log = { ...silentLog, warn: (message, fields) => this.warnings.push([message, fields]) };
    const { clock } = this;
    const { signal } = this.interruption;
    return { kube: { list }, isOfRun: (name) => name.startsWith('kp-r-'), log, signal, clock };
  }

  async reserve(given: RoomRequest): Promise<Reservation> {
    const reservation = await this.room.reserve(given, this.deps);
    this.granted.push(given.by);
    return reservation;
  }
}

describe('Room', () => {
  it('grants small requests at once, and looks at nothing but the nodes, once', async () => {
    const world = new World();
    for (let i = 0; i < 8; i += 1) {
      const { waited, notice } = await world.reserve(request(`c${i}`, pods(3, 50)));
      expect([waited, notice]).toEqual([undefined, undefined]);
    }
    expect(world.lists).toEqual(['Node']);
  });

  it('grants what fits beside the others, and then waits until one of them ends', async () => {
    const world = new World();
    const first = await world.reserve(request('first', pods(3, 500)));
    await world.reserve(request('second', pods(3, 500)));
    world.onPods = (time) => {
      if (time === 10) first.end();
    };
    const third = await world.reserve(request('third', pods(3, 500)));
    expect(third.waited).toBe('waited 8.0 s for room on the nodes: 1500m cpu for one release');
    expect(world.warnings).toEqual([]);
  });

  it('counts the pods of a reservation once', async () => {
    const world = new World();
    await world.reserve(request('first', pods(4, 500)));
    world.pods = ['one', 'one', 'two', 'two'].map((node) => live('kp-r-first', 500, node));
    const second = await world.reserve(request('second', pods(4, 500)));
    expect(second.waited).toBeUndefined();
  });

  it('waits for the pods of a check that has ended', async () => {
    const world = new World();
    const first = await world.reserve(request('first', pods(4, 1000)));
    world.pods = [live('kp-r-first', 1000, 'one', true)];
    first.end();
    world.onPods = (time) => {
      if (time === 7) world.pods = [];
    };
    const second = await world.reserve(request('second', pods(4, 1000)));
    expect(second.waited).toMatch('waited 5.0 s');
  });

  it('keeps the order: a smaller request does not pass an earlier one', async () => {
    const world = new World();
    const first = await world.reserve(request('first', pods(3, 1000)));
    world.onPods = (time) => {
      if (time === 5) first.end();
    };
    const large = world.reserve(request('large', pods(4, 1000)));
    const small = world.reserve(request('small', pods(1, 100)));
    world.onPods = (time) => {
      if (time === 5) first.end();
      if (time === 9) void large.then(({ end }) => end());
    };
    await Promise.all([large, small]);
    expect(world.granted).toEqual(['first', 'large', 'small']);
  });

  it('keeps the room of the shared release free before it has pods', async () => {
    const world = new World();
    const shared = { pods: () => Promise.resolve(pods(2, 500)), namespaces: () => ['kp-r-app'] };
    const first = await world.reserve(request('first', pods(6, 500), { shared }));
    world.onPods = (time) => {
      if (time === 6) first.end();
    };
    expect((await world.reserve(request('second', pods(1, 500), { shared }))).waited).toMatch('waited');
    world.pods = [live('kp-r-app', 500, 'one'), live('kp-r-app', 500, 'two')];
    expect((await world.reserve(request('third', pods(5, 500), { shared }))).waited).toBeUndefined();
  });

  it('grants at once what does not fit the nodes when nobody else is there', async () => {
    const world = new World();
    await world.reserve(request('first', pods(2, 2000)));
    const { waited, notice } = await world.reserve(request('huge', pods(1, 3000)));
    expect(waited).toBeUndefined();
    expect(notice).toBeUndefined();
    expect(world.granted).toEqual(['first', 'huge']);
    expect(world.warnings).toEqual([]);
  });

  it('takes pods of others for permanent, and those of the run for passing', async () => {
    const others = new World();
    others.pods = [live('others', 100, 'one')];
    expect((await others.reserve(request('a', pods(2, 2000)))).waited).toBeUndefined();

    const own = new World();
    own.pods = [live('kp-r-app-2', 100, 'one')];
    own.onPods = (time) => {
      if (time === 5) own.pods = [];
    };
    expect((await own.reserve(request('a', pods(2, 2000)))).waited).toMatch('waited 4.0 s');
  });

  it('waits for as many releases as fit, and without the pod of an update where that never fits', async () => {
    const world = new World();
    const one = [...pods(4, 1000), ...pods(1, 1000, { surge: true })];
    const first = await world.reserve(request('first', one, { releases: 2 }));
    world.onPods = (time) => {
      if (time === 6) first.end();
    };
    const second = await world.reserve(request('second', one, { releases: 2 }));
    expect(second.waited).toBe('waited 4.0 s for room on the nodes: 4000m cpu for one release');
  });

  it('says once for how many releases there is room', async () => {
    const world = new World();
    const notices: (string | undefined)[] = [];
    const one = [...pods(3, 500), ...pods(1, 500, { surge: true })];
    for (const by of ['first', 'second', 'third']) {
      const { notice, end } = await world.reserve(request(by, one));
      notices.push(notice);
      if (by === 'second') end();
    }
    expect(notices).toEqual([
      undefined,
      'the nodes have room for 2 releases at a time of app (1500m cpu each): checks that install their own wait for it',
      undefined,
    ]);
  });

  it('stops waiting when the run is interrupted, and lets nobody pass', async () => {
    const world = new World();
    await world.reserve(request('first', pods(4, 1000)));
    world.onPods = (time) => {
      if (time === 4) world.interruption.abort(new InterruptedError());
    };
    const waiting = ['second', 'third'].map((by) => world.reserve(request(by, pods(4, 1000))));
    const ends = await Promise.allSettled(waiting);
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as unknown))).toEqual([
      expect.any(InterruptedError),
      expect.any(InterruptedError),
    ]);
    expect(world.granted).toEqual(['first']);
  });

  it('starts anyway after a long time', async () => {
    const world = new World();
    await world.reserve(request('first', pods(4, 1000)));
    await world.reserve(request('second', pods(4, 1000)));
    expect(world.clock.now()).toBeGreaterThanOrEqual(ROOM_MS);
    expect(world.warnings).toEqual([
      [
        'started without room on the nodes',
        { by: 'second', reason: expect.stringContaining('1 reservation, 0 pods') as string },
      ],
    ]);
  });

  it('starts anyway sooner when nobody has a reservation', async () => {
    const world = new World();
    world.pods = [live('kp-r-stuck', 1000, 'one', true)];
    await world.reserve(request('first', pods(4, 1000)));
    expect(world.clock.now()).toBe(180_000);
    expect(world.warnings).toEqual([
      [
        'started without room on the nodes',
        { by: 'first', reason: expect.stringContaining('no check has a reservation') as string },
      ],
    ]);
  });

  it.each<[string, (world: World) => RoomRequest]>([
    [
      'nodes cannot be listed',
      (world) => {
        world.nodes = new Error('forbidden');
        return request('a', pods(9, 1000));
      },
    ],
    ['there is no node', (world) => ((world.nodes = []), request('a', pods(1, 1)))],
    [
      'pods cannot be listed',
      (world) => {
        world.pods = new Error('forbidden');
        return request('a', pods(4, 1000));
      },
    ],
    [
      'the subject does not render',
      () => request('a', [], { pods: () => Promise.reject(new Error('no such value')) }),
    ],
  ])('grants at once when %s', async (_, given) => {
    const world = new World();
    const { waited } = await world.reserve(given(world));
    expect([waited, world.granted, world.clock.now()]).toEqual([undefined, ['a'], 0]);
  });

  it('reads the nodes again after it could not', async () => {
    const world = new World();
    const { nodes } = world;
    world.nodes = new Error('connection refused');
    await world.reserve(request('a', pods(1, 1)));
    world.nodes = nodes;
    await world.reserve(request('b', pods(1, 1)));
    await world.reserve(request('c', pods(1, 1)));
    expect(world.lists).toEqual(['Node', 'Node']);
  });
});
