/**
 * Nodes of ours inside programs, each in a process of its own; the first program does the work.
 */

import { freePorts } from "../../support/free-ports.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { Cluster } from "./cluster.ts";

const PROGRAM = "./embedded/embedded-main.js";

export async function startEmbedded(nodes: number): Promise<Cluster> {
  const ports = await freePorts(nodes);
  // Each is ready once all are members, so nobody waits for another one here.
  const starting = ports.map((port, at) =>
    WorkerProcess.start(`embedded node ${at + 1}`, PROGRAM, [
      "node",
      String(nodes),
      String(port),
      ...(at === 0 ? [] : [`127.0.0.1:${ports[0]}`]),
    ]),
  );
  const started = await Promise.allSettled(starting);
  const workers = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const close = async () => {
    for (const worker of workers) worker.close();
  };
  const failed = started.find((result) => result.status === "rejected");
  const [inside, ...others] = workers;
  if (failed !== undefined || inside === undefined) {
    await close();
    throw failed?.reason;
  }
  return { ports: [], pids: others.map(({ pid }) => pid), inside, expectRunning: () => {}, close };
}

/** A plain Map instead. */
export async function startMap(): Promise<Cluster> {
  const inside = await WorkerProcess.start("the Map", PROGRAM, ["map"]);
  return { ports: [], pids: [], inside, expectRunning: () => {}, close: async () => inside.close() };
}
