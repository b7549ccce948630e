/**
 * `npm run bench:scale`: our cluster alone, in memory, as one thing after the other grows: shards, nodes, values, keys. A fresh cluster
 * for each row; the median of some measurements of SET, then of linearizable GET.
 *
 * `--only PATTERN` what grows; `--seconds S`, `--times N` for each measurement.
 */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { startCrema } from "./clusters/crema.ts";
import type { RespWork } from "./job.ts";
import { describeMachine } from "./machine.ts";
import { type Measurement, measure } from "./measuring.ts";
import { median } from "./pairing.ts";
import { findPrograms } from "./programs.ts";
import { prefillWork } from "./stage.ts";
import { WorkerProcess } from "./worker-process.ts";

interface Size {
  readonly nodes: number;
  readonly shards: number;
  readonly valueBytes: number;
  readonly keys: number;
}

const USUAL: Size = { nodes: 3, shards: 16, valueBytes: 64, keys: 100_000 };
const GROWTH: Readonly<Record<keyof Size, readonly number[]>> = {
  shards: [1, 4, 16, 64, 256],
  nodes: [3, 5, 7],
  valueBytes: [16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576],
  keys: [1_000, 10_000, 100_000, 1_000_000],
};
const UNITS: Readonly<Record<string, string>> = { valueBytes: "bytes a value" };
/** Stored values are held by every node of this machine, and by the load as requests. */
const STORED_BYTES_MAX = 64 * 1024 * 1024;
/** Asked for at once: what a node takes before it says that it is busy is a limit, not a speed. */
const OUTSTANDING_BYTES_MAX = 4 * 1024 * 1024;
const CONNECTIONS_MAX = 64;
const PIPELINE_MAX = 8;
const CLIENTS_MIN = 8;
const WARM_UP_SECONDS = 1;
const REDO_MAX = 3;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "3" },
    times: { type: "string", default: "3" },
  },
});
const seconds = Number(values.seconds);
const times = Number(values.times);
if (!(seconds > 0 && seconds <= 600)) throw new RangeError("--seconds must be above 0 and at most 600");
if (!Number.isInteger(times) || times < 1) throw new RangeError("--times must be a whole number above 0");
const programs = findPrograms();
const pattern = new RegExp(values.only, "i");

console.log(`${describeMachine(tmpdir())}\n`);
console.log(
  "| what | connections x P | SET/s | p50 / p99 ms | GET/s | p50 / p99 ms | load + servers, cores | others, most |",
);
console.log("|---|---:|---:|---:|---:|---:|---:|---:|");
for (const [what, sizes] of Object.entries(GROWTH).filter(([name]) => pattern.test(name)))
  for (const size of sizes)
    console.log(await row(`${size.toLocaleString("en")} ${UNITS[what] ?? what}`, { ...USUAL, [what]: size }));

async function row(title: string, size: Size): Promise<string> {
  const { nodes, shards, valueBytes } = size;
  const fits = valueBytes <= USUAL.valueBytes ? size.keys : STORED_BYTES_MAX / valueBytes;
  const data = { keys: Math.min(size.keys, fits), valueBytes };
  const outstanding = Math.max(CLIENTS_MIN, Math.floor(OUTSTANDING_BYTES_MAX / valueBytes));
  const connections = Math.min(CONNECTIONS_MAX, outstanding);
  const pipeline = Math.min(PIPELINE_MAX, Math.floor(outstanding / connections));
  const shape = { connections, pipeline, waitForReplica: false, readOnly: false, data };
  const cluster = await startCrema({ nodes, shards, dataDirectory: null, profileDirectory: null });
  try {
    const worker = await WorkerProcess.start("the load", "./load/load-main.js");
    try {
      const set: RespWork = { type: "resp", command: "SET", ...shape };
      await worker.prefill(prefillWork(set), cluster.ports);
      const measureAll = async (work: RespWork) => {
        const measured: Measurement[] = [];
        for (let redone = 0; measured.length < times; ) {
          const performer = { cluster, worker, close: cluster.close };
          const measurement = await measure({ cluster: "crema", work, oneDoor: false }, performer, {
            duration: { warmUpSeconds: WARM_UP_SECONDS, seconds },
            pids: [...cluster.pids, worker.pid],
            programs,
            expectRunning: cluster.expectRunning,
          });
          if (measurement.disturbance !== null && redone++ < REDO_MAX) continue;
          measured.push(measurement);
        }
        return measured;
      };
      const sets = await measureAll(set);
      const gets = await measureAll({ ...set, command: "GET" });
      const all = [...sets, ...gets];
      const others = Math.max(...all.map(({ foreignCores }) => foreignCores)).toFixed(2);
      const cells = [
        title,
        `${connections} x ${pipeline}`,
        ...speed(sets),
        ...speed(gets),
        cores(sets),
        others,
      ];
      return `| ${cells.join(" | ")} |`;
    } finally {
      worker.close();
    }
  } finally {
    await cluster.close();
  }
}

function speed(measured: readonly Measurement[]): readonly string[] {
  const of = (read: (measurement: Measurement) => number) => median(measured.map(read));
  const busy = measured.reduce((sum, { outcome }) => sum + outcome.busy, 0);
  const rate = Math.round(of(({ perSecond }) => perSecond)).toLocaleString("en");
  const latencies = [of(({ outcome }) => outcome.p50Ms), of(({ outcome }) => outcome.p99Ms)];
  return [
    busy === 0 ? rate : `${rate} (${busy} busy)`,
    latencies.map((latency) => latency.toPrecision(3)).join(" / "),
  ];
}

function cores(measured: readonly Measurement[]): string {
  const load = median(measured.map(({ loadCores }) => loadCores));
  const servers = median(measured.map(({ serverCores }) => serverCores.reduce((sum, each) => sum + each, 0)));
  return `${load.toFixed(2)} + ${servers.toFixed(2)}`;
}
