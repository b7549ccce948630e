/**
 * The cluster address of a node: one number for gossip (UDP) and links (TCP).
 */
import { isIP } from "node:net";
import { CremaError } from "../base/errors.ts";
import type { Datagrams, Streams } from "../host/ports.ts";
import { openDatagrams } from "./datagrams.ts";
import { openStreams } from "./streams.ts";

/** Ports tried when the system picks one for TCP and UDP must find the same one free. */
const FREE_PORT_TRIES = 20;

/** Binds both. With port 0 any number that is free for both. Rejects with CREMA_ADDRESS_IN_USE. */
export async function bindClusterAddress(
  host: string,
  port: number,
): Promise<{ readonly streams: Streams; readonly datagrams: Datagrams }> {
  for (let tries = 1; ; tries++) {
    const streams = await openStreams({ host, port });
    try {
      const datagrams = await openDatagrams({ host, port: streams.local.port });
      return { streams, datagrams };
    } catch (error) {
      await streams.close();
      const taken = error instanceof CremaError && error.code === "CREMA_ADDRESS_IN_USE";
      if (!taken || port !== 0 || tries >= FREE_PORT_TRIES) throw error;
    }
  }
}

/** Links are neither encrypted nor authenticated yet: beyond this machine only on explicit demand. */
export function refuseInsecureHost(host: string, insecure: boolean): void {
  const loopback = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (loopback || insecure) return;
  throw new CremaError(
    "CREMA_INSECURE_HOST",
    `--host ${host} is not a loopback address, and traffic between nodes is not encrypted: add --insecure if the network is trusted`,
  );
}
