/**
 * The power goes at every single sync of a history: of one machine's disk, and of all machines at that moment. Whatever was
 * acknowledged is there afterwards, once, and the votes that were given stay given.
 *
 * The history is the same up to the sync at which it is cut: one seed, one fleet, one work.
 */
import { expect, test } from "vitest";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";
import { VoteWitness } from "../support/vote-witness.ts";

const MACHINES = [1, 2, 3];
const OPTIONS = { shards: 2, deadGraceMs: 60_000 };
/** So short that checkpoints are taken within the history. */
const HOST = { logEntriesMax: 10, checkpointLogBytes: 400, checkpointIntervalMs: 1_000 };
const INCREMENTS = 24;

class History {
  readonly cluster: VirtualCluster;
  readonly witness = new VoteWitness();
  readonly members = new Map<number, VirtualMember>();
  acknowledged = 0;
  asked = 0;

  constructor(seed: number) {
    this.cluster = new VirtualCluster(seed);
  }

  async start(machine: number): Promise<void> {
    const { probe } = this.witness;
    const member = await this.cluster.startDurable(machine, MACHINES, OPTIONS, { host: HOST, probe });
    this.members.set(machine, member);
  }

  /** Cuts the power of `machines` with the sync of machine 1's disk that is counted `at`. Answers whether it came. */
  async run(at: number, machines: readonly number[]): Promise<boolean> {
    let cut = false;
    const disk = this.cluster.disk(1);
    for (const machine of MACHINES) await this.start(machine);
    disk.onSynced = () => {
      if (cut || disk.counters.syncs !== at) return false;
      cut = true;
      for (const machine of machines)
        this.cluster.kill(this.members.get(machine) as VirtualMember, "power-lost");
      return true;
    };
    void this.work(2);
    await this.cluster.until(() => cut || this.asked === INCREMENTS, 30_000);
    await this.cluster.until(() => cut, 3_000);
    disk.onSynced = null;
    if (!cut) return false;
    await this.cluster.run(20);
    for (const machine of machines) await this.start(machine);
    return true;
  }

  /** Increments through one node, one after the other, for as long as it lives. */
  async work(machine: number): Promise<void> {
    const member = this.members.get(machine) as VirtualMember;
    await member.node.waitFor(() => member.node.notReadyReason() === null, 30_000);
    while (this.asked < INCREMENTS && member.alive) {
      this.asked++;
      await member.node.cache.increment("counter", 1, { timeoutMs: 4_000 }).then(
        () => this.acknowledged++,
        () => undefined,
      );
    }
  }

  async check(where: string): Promise<void> {
    const { cluster } = this;
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000), where).toBe(true);
    await cluster.run(5_000);
    const via = cluster.living[0] as VirtualMember;
    const value = Number(await cluster.settle(via.node.cache.consistentGet("counter")));
    expect(value, `${where}: nothing acknowledged is lost`).toBeGreaterThanOrEqual(this.acknowledged);
    expect(value, `${where}: nothing is done twice`).toBeLessThanOrEqual(this.asked);
    expect(new Set(cluster.living.map(({ node }) => node.clusterId)).size, where).toBe(1);
    expect(this.witness.violations, where).toEqual([]);
  }
}

test.each([
  ["of one machine", [1]],
  ["of all machines", MACHINES],
])(
  "the power %s may go at any sync",
  async (_what, machines) => {
    let at = 1;
    for (; ; at++) {
      const history = new History(11);
      if (!(await history.run(at, machines))) break;
      await history.check(`sync ${at}`);
    }
    expect(at).toBeGreaterThan(40);
  },
  120_000,
);
