import { z } from 'zod';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { McpSession } from './mcp-session.ts';

export const INVENTORY_TOOL = 'get_gpu_inventory';

const inventorySchema = z.looseObject({
  device_count: z.int(),
  devices: z.array(z.unknown()).optional(),
});

/**
 * The GPU inventory that a session returns.
 *
 * @throws CheckFailure `E_TOOL` when the tool fails or returns no device_count
 */
export async function inventoryOf(session: McpSession): Promise<z.infer<typeof inventorySchema>> {
  const inventory = inventorySchema.safeParse(await session.value(INVENTORY_TOOL));
  if (inventory.success) return inventory.data;
  throw new CheckFailure('E_TOOL', `${session.title}: ${INVENTORY_TOOL} returns no device_count`);
}
