/**
 * Ports for several nodes on one machine: the well-known ones and those that follow, as long as nobody holds them.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { DEFAULT_HTTP_PORT, DEFAULT_NODE_OPTIONS, DEFAULT_RESP_PORT } from "../../src/index.ts";

/** The ports of one node; 0 = let the node take any free one. */
export interface LocalPorts {
  readonly cluster: number;
  readonly resp: number;
  readonly http: number;
}

const HOST = "127.0.0.1";

/** Ports for `count` nodes. A port that is taken now becomes 0. */
export async function chooseLocalPorts(count: number): Promise<readonly LocalPorts[]> {
  const chosen: LocalPorts[] = [];
  for (let index = 0; index < count; index++) {
    const cluster = DEFAULT_NODE_OPTIONS.port + index;
    const resp = DEFAULT_RESP_PORT + index;
    const http = DEFAULT_HTTP_PORT + index;
    chosen.push({
      cluster: (await tcpIsFree(cluster)) && (await udpIsFree(cluster)) ? cluster : 0,
      resp: (await tcpIsFree(resp)) ? resp : 0,
      http: (await tcpIsFree(http)) ? http : 0,
    });
  }
  return chosen;
}

async function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function udpIsFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind(port, HOST);
    await once(socket, "listening");
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
