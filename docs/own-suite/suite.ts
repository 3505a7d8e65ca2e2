import { defineSuite, expect } from 'kindproof';

export default defineSuite({
  name: 'parcelboard',
  chart: '../../fixtures/charts/parcelboard',
  requirements: [
    { id: 'PB-1', requirement: 'Two boards are available.' },
    { id: 'PB-2', requirement: 'The board hands out the next parcel of the queue.' },
    { id: 'PB-3', requirement: 'The title of the board is a setting.' },
    { id: 'PB-4', requirement: 'Limits of memory are in force.', checkedBy: 'X-18' },
  ],

  checks({ requirement }) {
    const page = { kind: 'Service', name: 'parcelboard-board', port: 80 } as const;

    requirement('PB-1', 'has two available replicas', { first: true }, async ({ release }) => {
      await expect(release.deployment('parcelboard-board')).toHaveAvailableReplicas(2);
    });

    requirement('PB-2', 'hands out the next parcel', async ({ release, observe }) => {
      const answer = await release.http(page, '/queue/next');
      expect(answer.status, answer.body).toBe(200);
      expect(answer.body).toMatch(/^parcel \d+/);
      observe(`it handed out ${answer.body.trim()}`);
    });

    requirement('PB-3', 'shows another title', { release: 'none', disruptive: true }, async ({ lab }) => {
      const release = await lab.install({ set: ['settings.BOARD_TITLE=Letters'] });
      const answer = await release.http(page, '/');
      expect(answer.body).toContain('Letters');
    });
  },

  faults: [
    {
      name: 'board-alone',
      description: 'The chart has a single replica by default.',
      requirements: ['PB-1'],
      reason: /found 1 of 1 available/,
      set: ['http.instances=1'],
    },
    {
      name: 'board-title-fixed',
      description: 'The template has the title instead of the setting.',
      requirements: ['PB-3'],
      reason: /<h1>Parcels<\/h1>.* to contain 'Letters'/s,
      patches: [
        {
          target: { kind: 'ConfigMap', name: 'parcelboard-board-settings' },
          ops: [{ op: 'replace', path: '/data/BOARD_TITLE', value: 'Parcels' }],
        },
      ],
    },
  ],
});
