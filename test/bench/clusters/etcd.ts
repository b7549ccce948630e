/**
 * Three nodes of etcd. Always durable: every put is synced by a majority before it is answered.
 */
import { join } from "node:path";
import { freePorts } from "../../support/free-ports.ts";
import { callEtcd } from "../load/etcd-call.ts";
import { grpcMessage, PUT_PATH, putRequest } from "../load/etcd-messages.ts";
import { waitUntil } from "../wait-until.ts";
import type { Cluster } from "./cluster.ts";
import { ServerProcess } from "./server-process.ts";

const NODES = 3;
const READY_WITHIN_MS = 30_000;
/** Every put is kept as a revision: the default of 2 GB ends a long run. */
const QUOTA_BYTES = 8 * 1024 ** 3;

export async function startEtcd(program: string, dataDirectory: string): Promise<Cluster> {
  const ports = await freePorts(2 * NODES);
  const clientPorts = ports.slice(0, NODES);
  const members = ports
    .slice(NODES)
    .map((port, at) => ({ name: `node-${at + 1}`, url: `http://127.0.0.1:${port}` }));
  const all = members.map(({ name, url }) => `${name}=${url}`).join(",");
  const servers = members.map(({ name, url }, at) => {
    const clients = `http://127.0.0.1:${clientPorts[at]}`;
    const flags: Readonly<Record<string, string>> = {
      name,
      "data-dir": join(dataDirectory, name),
      "listen-peer-urls": url,
      "initial-advertise-peer-urls": url,
      "listen-client-urls": clients,
      "advertise-client-urls": clients,
      "initial-cluster": all,
      "initial-cluster-state": "new",
      "quota-backend-bytes": String(QUOTA_BYTES),
      "log-level": "error",
    };
    const argv = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    return new ServerProcess(`etcd ${name}`, program, argv);
  });
  const close = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const expectRunning = () => servers.forEach((server) => void server.expectRunning());
  try {
    const probe = grpcMessage(putRequest("ready?", "yes"));
    for (const port of clientPorts)
      await waitUntil(`etcd takes a put on port ${port}`, READY_WITHIN_MS, async () => {
        expectRunning();
        await callEtcd(port, PUT_PATH, probe, 2_000);
        return null;
      });
    return { ports: clientPorts, pids: servers.map(({ pid }) => pid), inside: null, expectRunning, close };
  } catch (error) {
    await close();
    throw error;
  }
}
