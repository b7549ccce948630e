/**
 * Bare nodes: programs that do the least that can be done for the same requests. @see ../bare/bare-node.ts
 */
import { join } from "node:path";
import { freePorts } from "../../support/free-ports.ts";
import { BARE_READY_LINE } from "../bare/bare-ready-line.ts";
import { waitUntil } from "../wait-until.ts";
import type { Cluster } from "./cluster.ts";
import { ServerProcess } from "./server-process.ts";

const PROGRAM = new URL("../bare/bare-main.js", import.meta.url).pathname;
const READY_WITHIN_MS = 30_000;

/** With a folder each node syncs whatever it is to store; null: memory only. */
export async function startBare(nodes: number, dataDirectory: string | null): Promise<Cluster> {
  const ports = await freePorts(2 * nodes);
  const clientPorts = ports.slice(0, nodes);
  const linkPorts = ports.slice(nodes).map(String);
  const servers = clientPorts.map((port, self) => {
    const log = dataDirectory === null ? "-" : join(dataDirectory, `node-${self + 1}.log`);
    const argv = [PROGRAM, String(self), String(port), log, ...linkPorts];
    return new ServerProcess(`bare node ${self + 1}`, process.execPath, argv, { channel: true });
  });
  const close = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const expectRunning = () => servers.forEach((server) => void server.expectRunning());
  try {
    await waitUntil("the bare nodes are connected", READY_WITHIN_MS, () => {
      expectRunning();
      const ready = servers.filter(({ lines }) => lines.includes(BARE_READY_LINE)).length;
      return ready === nodes ? null : `${ready} of ${nodes} are ready`;
    });
    return { ports: clientPorts, pids: servers.map(({ pid }) => pid), inside: null, expectRunning, close };
  } catch (error) {
    await close();
    throw error;
  }
}
