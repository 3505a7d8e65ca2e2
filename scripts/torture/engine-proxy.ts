/** A socket in front of the container engine that can stop answering. Only the runs under torture use it. */
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

export interface EngineProxy {
  /** For DOCKER_HOST. */
  address: string;
  /** Ends all connections and accepts no more. */
  cut: () => Promise<void>;
}

/**
 * Starts a proxy on a Unix socket in `folder`.
 *
 * @param engine path of the engine's own socket
 */
export async function engineProxy(folder: string, engine: string): Promise<EngineProxy> {
  const open = new Set<Socket>();
  const path = join(folder, 'engine.sock');
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: engine, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return {
    address: `unix://${path}`,
    cut: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}
