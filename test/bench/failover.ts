/**
 * `npm run bench:failover -- --kills N`: after `kill -9` of a node, how long until writes to the shards that it led succeed again,
 * with default settings. With `--freeze` the node is stopped instead: its connections stay open, as when a cable is pulled. Three nodes, all shards written to meanwhile; the node is started again at its address, and the next one is
 * killed when all is whole and evenly led. Prints the distribution over all shards of all kills.
 */
import { parseArgs } from "node:util";
import type { ClusterStatus } from "../../src/index.ts";
import { loadKeyHash } from "../../src/placement/key-hash.ts";
import { freePorts } from "../support/free-ports.ts";
import { CremaProcess } from "./clusters/crema-process.ts";
import { missingToSettle } from "./clusters/settled.ts";
import { Histogram } from "./histogram.ts";
import { DEFAULT_DATA, keyText, type RespWork, valueText } from "./job.ts";
import { askOnce } from "./load/ask-once.ts";
import { RespLoad } from "./load/resp-load.ts";
import { CORES, sampleCpu } from "./machine.ts";
import { Tally } from "./tally.ts";
import { waitUntil } from "./wait-until.ts";

const NODES = 3;
const SETTLED_WITHIN_MS = 120_000;
const RESUMED_WITHIN_MS = 60_000;
const QUANTILES = [0, 0.5, 0.9, 0.99, 1];
/** Enough that no shard sleeps, little enough that the processor is not what is measured. */
const BACKGROUND: RespWork = {
  type: "resp",
  command: "SET",
  connections: 2,
  pipeline: 1,
  waitForReplica: "no",
  readOnly: false,
  perSecond: null,
  data: DEFAULT_DATA,
};

const { values } = parseArgs({
  options: { kills: { type: "string", default: "30" }, freeze: { type: "boolean", default: false } },
});
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) throw new RangeError("--kills must be a whole number above 0");

const keyHash = await loadKeyHash();
const ports = await freePorts(NODES);
const nodes: CremaProcess[] = [];
const histogram = new Histogram();
const resumedMs: number[] = [];
try {
  for (const at of ports.keys()) await start(at);
  for (let kill = 1; kill <= kills; kill++) await killOne(kill, kill % NODES);
  console.log(summary());
} finally {
  await Promise.all(nodes.map(({ server }) => server.kill()));
}

/** Starts the node with this number, at its address. */
async function start(at: number): Promise<CremaProcess> {
  const port = String(ports[at]);
  const other = ports[at === 0 ? 1 : 0];
  // The first founds; when it comes back it joins, like the others.
  const founds = nodes.length === 0;
  const node = new CremaProcess(`node ${at + 1}`, {
    port,
    ...(founds ? {} : { seed: `127.0.0.1:${other}` }),
  });
  nodes[at] = node;
  await node.untilReady();
  return node;
}

async function killOne(kill: number, at: number): Promise<void> {
  const victim = nodes[at] as CremaProcess;
  const survivors = nodes.filter((node) => node !== victim);
  const status = await untilSettled(survivors[0] as CremaProcess);
  const led = status.shards.filter(({ leader }) => leader === victim.ready.nodeId).map(({ shard }) => shard);
  const load = new RespLoad(
    BACKGROUND,
    survivors.map(({ respPort }) => respPort),
    new Tally(),
    false,
  );
  // An answer that leaves open whether a write was done ends it; by then it has done its part.
  load.finished.catch((error: Error) => console.error(`  the background load ended: ${error.message}`));
  const before = sampleCpu([]);
  try {
    await awake();
    const killedAtMs = performance.now();
    if (values.freeze) victim.server.freeze();
    else void victim.server.kill();
    const times = await Promise.all(
      led.map(async (shard, turn) => {
        const survivor = survivors[turn % survivors.length] as CremaProcess;
        await untilWritten(survivor.respPort, keyOfShard(shard, status.shardCount), killedAtMs);
        return performance.now() - killedAtMs;
      }),
    );
    resumedMs.push(...times);
    for (const time of times) histogram.record(time);
    const after = sampleCpu([]);
    const busy = (after.processesS - before.processesS) / ((after.atMs - before.atMs) / 1_000) / CORES;
    const list = times.map((time) => Math.round(time)).join(" ");
    console.error(`kill ${kill}: ${list} ms (machine ${Math.round(100 * busy)} % busy)`);
  } finally {
    load.destroy();
  }
  await victim.server.kill();
  await start(at);
}

/** Resolves when writes have reached every shard. */
async function awake(): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new Error("no node runs");
  const { shardCount } = await first.status();
  for (let shard = 0; shard < shardCount; shard++) {
    const reply = await askOnce(
      first.respPort,
      RESUMED_WITHIN_MS,
      "SET",
      keyOfShard(shard, shardCount),
      "awake",
    );
    if (!reply.startsWith("+OK")) throw new Error(`before the kill: ${reply}`);
  }
}

/** Writes until it is acknowledged; what the node answers meanwhile are failures that a client is told to repeat. */
async function untilWritten(port: number, key: string, sinceMs: number): Promise<void> {
  for (;;) {
    const reply = await askOnce(port, RESUMED_WITHIN_MS, "SET", key, valueText(0));
    if (reply.startsWith("+OK")) return;
    if (performance.now() - sinceMs > RESUMED_WITHIN_MS) throw new Error(`${key} is not written: ${reply}`);
  }
}

async function untilSettled(node: CremaProcess): Promise<ClusterStatus> {
  let status: ClusterStatus | null = null;
  await waitUntil("the cluster is whole and evenly led", SETTLED_WITHIN_MS, async () => {
    status = await node.status();
    return missingToSettle(status, NODES);
  });
  if (status === null) throw new Error("no status");
  return status;
}

function keyOfShard(shard: number, shards: number): string {
  for (let number = 0; ; number++) {
    const key = keyText(number);
    if (keyHash.shardOf(key, shards) === shard) return key;
  }
}

function summary(): string {
  const figures = QUANTILES.map(
    (quantile) => `p${quantile * 100} ${Math.round(histogram.quantileMs(quantile))} ms`,
  );
  return `${kills} nodes ${values.freeze ? "frozen" : "killed"}, ${resumedMs.length} shards led anew: ${figures.join(", ")}`;
}
