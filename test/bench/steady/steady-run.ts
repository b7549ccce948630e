/**
 * One kind of disturbance on a cluster of its own: windows with it and without it take turns, on the same nodes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type CremaCluster, startCrema } from "../clusters/crema.ts";
import { disturbanceOf } from "../measuring.ts";
import { type Pair, type PairedRun, runPairs } from "../pairing.ts";
import { TemporaryDirectory } from "../temporary-directory.ts";
import type { Disturbance, DisturbanceKind } from "./disturbance.ts";
import { Reads, type Window } from "./reads.ts";

const NODES = 3;
const SHARDS = 16;
/** What the reads are given of what the cluster could do. */
const SHARE = 1 / 3;
const CALIBRATION_SECONDS_MAX = 2;

/** `disturbance`: what others than this benchmark did to the machine. */
export interface SteadyWindow extends Window {
  readonly disturbance: string | null;
  readonly nodeCores: number;
  readonly readCores: number;
  /** Of the clients that disturb, of a node that came and went, and of this process. */
  readonly otherCores: number;
}

export interface SteadyRow {
  readonly kind: DisturbanceKind;
  readonly perSecond: number;
  /** `ours`: disturbed. `peer`: quiet. */
  readonly run: PairedRun<SteadyWindow>;
}

export interface SteadyOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Reads a second; null: a share of what the cluster can do. */
  readonly perSecond: number | null;
  readonly onPair: (title: string, pair: Pair<SteadyWindow>, disturbance: string | null) => void;
}

export async function steadyRun(kind: DisturbanceKind, options: SteadyOptions): Promise<SteadyRow> {
  const directory = kind.durable ? new TemporaryDirectory() : null;
  try {
    const cluster = await startCrema({
      nodes: NODES,
      shards: SHARDS,
      dataDirectory: directory?.path ?? null,
      profileDirectory: null,
      flags: kind.flags,
    });
    try {
      const reads = await Reads.start(cluster.ports, kind.data);
      try {
        const disturbance = await kind.create(cluster);
        try {
          return await runOn({ kind, cluster, reads, disturbance }, options);
        } finally {
          await disturbance.close();
        }
      } finally {
        reads.close();
      }
    } finally {
      await cluster.close();
    }
  } finally {
    directory?.remove();
  }
}

interface Scene {
  readonly kind: DisturbanceKind;
  readonly cluster: CremaCluster;
  readonly reads: Reads;
  readonly disturbance: Disturbance;
}

async function runOn(
  scene: Scene,
  { rounds, seconds, perSecond, onPair }: SteadyOptions,
): Promise<SteadyRow> {
  const { kind, cluster, reads, disturbance } = scene;
  await disturbance.settle();
  const calibrated =
    perSecond ?? Math.ceil(SHARE * (await reads.fastest(Math.min(seconds, CALIBRATION_SECONDS_MAX))));
  const window = (during: () => Promise<void>) => windowOf(scene, calibrated, during);
  try {
    const run = await runPairs<SteadyWindow>({
      pairs: rounds,
      runAgainMax: rounds,
      ours: async () => {
        await disturbance.prepare();
        const measured = await window(() => disturbance.run(seconds));
        await disturbance.settle();
        return measured;
      },
      peer: () => window(() => delay(seconds * 1_000)),
      onPair,
    });
    return { kind, perSecond: calibrated, run };
  } catch (error) {
    // That a node has ended says more than what came of it.
    cluster.expectRunning();
    throw error;
  }
}

async function windowOf(
  { cluster, reads, disturbance }: Scene,
  perSecond: number,
  during: () => Promise<void>,
): Promise<SteadyWindow> {
  const measured = await reads.measure({
    perSecond,
    pids: () => [process.pid, ...cluster.pids, ...reads.pids, ...disturbance.pids],
    evidence: () => disturbance.evidence(),
    during,
  });
  const { ofProcess, own, foreign, steal } = measured.cpu;
  const coresOf = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + (ofProcess.get(pid) ?? 0), 0);
  const nodeCores = coresOf(cluster.pids);
  const readCores = coresOf(reads.pids);
  return {
    ...measured,
    disturbance: disturbanceOf(foreign, steal),
    nodeCores,
    readCores,
    otherCores: own - nodeCores - readCores,
  };
}
