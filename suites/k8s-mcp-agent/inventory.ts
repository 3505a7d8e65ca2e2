import { z } from 'zod';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { McpSession } from './mcp-session.ts';

export const INVENTORY_TOOL = 'get_gpu_inventory';

const inventorySchema = z.looseObject({
  device_count: z.int(),
  devices: z.array(z.unknown()).optional(),
});

/**
 * What a session tells about the GPUs that it sees.
 *
 * @throws CheckFailure `E_TOOL` when the tool fails, or tells no number
 */
export async function inventoryOf(session: McpSession): Promise<z.infer<typeof inventorySchema>> {
  const inventory = inventorySchema.safeParse(await session.value(INVENTORY_TOOL));
  if (inventory.success) return inventory.data;
  throw new CheckFailure('E_TOOL', `${session.title}: ${INVENTORY_TOOL} tells no device_count`);
}
