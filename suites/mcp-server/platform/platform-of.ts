/** The platform that a check talks to: the one under test, or helm with the chart. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { CheckContext } from '../../../harness/run/suite/check.ts';
import { commandPlatform } from './command-platform.ts';
import { helmPlatform } from './helm-platform.ts';
import type { Platform } from './platform.ts';

/** The image of the subject that servers run. */
export const SERVER_IMAGE = 'mcp-server';

type Context = Pick<CheckContext, 'lab' | 'subject'>;

export async function platformOf(context: Context): Promise<Platform> {
  return context.lab.platform ? platformUnderTest(context) : helmPlatform(context.lab);
}

/**
 * For what helm does not do or say.
 *
 * @throws DoesNotFit when the run tests a chart
 */
export async function platformUnderTest({ lab, subject }: Context): Promise<Platform> {
  const { platform } = lab;
  if (!platform) {
    throw new DoesNotFit('the run tests a chart, and helm offers nothing of this', {
      hint: 'Test a platform with --platform, or the one of kindproof with --reference wharf.',
    });
  }
  const image = subject.images.find(({ name }) => name === SERVER_IMAGE)?.ref ?? '';
  return commandPlatform(lab, platform.file, image);
}
