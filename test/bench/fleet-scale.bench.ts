/**
 * Whole fleets in virtual time, from one node to a thousand: `npx vitest bench --run test/bench/fleet-scale.bench.ts`, some
 * minutes up to 250 members, an hour and 8 GB of memory for the last row (CREMA_FLEET_MEMBERS=1000, and a heap that is allowed to
 * grow: NODE_OPTIONS=--max-old-space-size=12000). It prints the table of docs/benchmarks.md. Figures are of virtual time and seeded; only the controller's time is the machine's.
 */
import { performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { bench, describe } from "vitest";
import { groupOfShard, type NodeId, SYSTEM_GROUP, shardId } from "../../src/base/ids.ts";
import { encodeMap } from "../../src/cluster/cluster-codec.ts";
import type { ClusterMap } from "../../src/cluster/cluster-map.ts";
import { DEFAULT_CONTROL_OPTIONS, type GossipView, planControl } from "../../src/cluster/controller.ts";
import { foundingMap } from "../../src/cluster/founding-map.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import { applyMapCommand } from "../../src/cluster/map-machine.ts";
import { loadKeyHash } from "../../src/placement/key-hash.ts";
import { whatIsMissing } from "../../src/sim/calm.ts";
import { Fleet, type FleetLife } from "../../src/sim/fleet.ts";

const SEED = 2_026n;
const MEMBERS_MAX = Number(process.env.CREMA_FLEET_MEMBERS ?? 250);
/** Members and shards. */
const FLEETS = [
  [16, 16],
  [64, 64],
  [250, 256],
  [1_000, 1_024],
] as const;
const STARTS_PER_SECOND = 50;
const FOUNDER_ALONE_MS = 3_000;
const LOOK_EVERY_MS = 500;
/** How often a large fleet tells on stderr how far it is, in virtual time. */
const TELL_EVERY_MS = 5_000;
const GROWN_WITHIN_MS = 600_000;
const QUIET_MS = 20_000;
const HEALED_WITHIN_MS = 120_000;
const ONCE = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0, throws: true } as const;
const keyHash = await loadKeyHash();

/** One fleet and what its network has carried. */
class Growth {
  readonly fleet: Fleet;
  readonly #members: number;
  readonly #shards: number;
  #gossipBytes = 0;
  #mark = { atMs: 0, gossip: 0, links: 0 };

  constructor(members: number, shards: number) {
    this.#members = members;
    this.#shards = shards;
    this.fleet = new Fleet({ seed: SEED, keyHash, nodeOptions: { shards } });
    const { network } = this.fleet;
    const datagrams = network.datagrams.bind(network);
    network.datagrams = (address, process) => {
      const port = datagrams(address, process);
      const send = port.send.bind(port);
      port.send = (to, bytes) => {
        this.#gossipBytes += bytes.length;
        send(to, bytes);
      };
      return port;
    };
    for (let machine = 0; machine < members; machine++) this.fleet.addMachine();
  }

  /** Virtual seconds from the second start until all is whole. */
  async grow(): Promise<number> {
    const [first, ...others] = this.fleet.machines;
    if (first === undefined) throw new Error("a fleet has a machine");
    const founder = this.fleet.boot(first, []);
    await this.fleet.clock.runFor(FOUNDER_ALONE_MS);
    this.mark();
    for (const [at, machine] of others.entries())
      this.fleet.clock.setTimer((at * 1_000) / STARTS_PER_SECOND, () =>
        this.fleet.boot(machine, [founder.address]),
      );
    return this.#until(
      () => this.fleet.lives.length === this.#members && whatIsMissing(this.fleet) === null,
      GROWN_WITHIN_MS,
    );
  }

  /** Virtual seconds until every group is led again, and until all is whole. */
  async loseOne(): Promise<readonly [ledS: number, wholeS: number]> {
    const victim = this.fleet.lives[this.#members >> 1];
    if (victim === undefined) throw new Error("somebody lives");
    this.fleet.kill(victim, "power-lost");
    const ledS = await this.#until(() => this.#ledGroups() === this.#shards + 1, HEALED_WITHIN_MS);
    const restS = await this.#until(() => whatIsMissing(this.fleet) === null, HEALED_WITHIN_MS);
    return [ledS, ledS + restS];
  }

  /** Lets virtual time pass, and the reporter of this bench come to its turn now and then. */
  async pass(durationMs: number): Promise<void> {
    for (let restMs = durationMs; restMs > 0; restMs -= LOOK_EVERY_MS) {
      await this.fleet.clock.runFor(Math.min(restMs, LOOK_EVERY_MS));
      await turn();
    }
  }

  mark(): void {
    this.#mark = { atMs: this.fleet.nowMs, gossip: this.#gossipBytes, links: this.#linkBytes() };
  }

  /** Bytes that a member has sent per second since the mark. */
  rates(): { readonly gossip: number; readonly links: number } {
    const perMember = ((this.fleet.nowMs - this.#mark.atMs) / 1_000) * this.fleet.lives.length;
    return {
      gossip: (this.#gossipBytes - this.#mark.gossip) / perMember,
      links: (this.#linkBytes() - this.#mark.links) / perMember,
    };
  }

  get map(): ClusterMap {
    const map = this.fleet.lives[0]?.node.control.map;
    if (map == null) throw new Error("the founder knows its map");
    return map;
  }

  async #until(condition: () => boolean, limitMs: number): Promise<number> {
    const beganMs = this.fleet.nowMs;
    let toldMs = beganMs;
    while (!condition()) {
      if (this.fleet.nowMs - toldMs >= TELL_EVERY_MS) {
        toldMs = this.fleet.nowMs;
        this.#tell();
      }
      if (this.fleet.nowMs - beganMs > limitMs)
        throw new Error(`not within ${limitMs} ms: ${whatIsMissing(this.fleet)}`);
      await this.pass(LOOK_EVERY_MS);
    }
    return (this.fleet.nowMs - beganMs) / 1_000;
  }

  #tell(): void {
    const { lives } = this.fleet;
    const short = this.map.shards.filter(({ wanted }) => wanted.length < this.map.replicationFactor).length;
    const facts = [
      `${(this.fleet.nowMs / 1_000).toFixed(1)} s virtual, ${(performance.now() / 1_000).toFixed(0)} s real`,
      `${lives.length} run, map ${this.map.version} with ${this.map.members.length} members`,
      `${short} shards wait for their plan`,
      `${lives.filter(({ node }) => node.notReadyReason() !== null).length} not ready`,
      `missing: ${whatIsMissing(this.fleet)}`,
    ];
    console.error(facts.join("; "));
  }

  #ledGroups(): number {
    const led = new Set<number>();
    for (const { node } of this.fleet.lives)
      for (const group of node.groups.groups()) if (group.isLeader) led.add(group.id);
    return led.size;
  }

  #linkBytes(): number {
    return this.fleet.lives.reduce((sum, { node }: FleetLife) => sum + node.links.counters.bytesSent, 0);
  }
}

describe("fleets in virtual time", () => {
  for (const [members, shards] of FLEETS.filter(([size]) => size <= MEMBERS_MAX)) {
    bench(`${members} members, ${shards} shards`, async () => console.log(await row(members, shards)), ONCE);
  }
});

async function row(members: number, shards: number): Promise<string> {
  const growth = new Growth(members, shards);
  const grownS = await growth.grow();
  const growing = growth.rates();
  const { map } = growth;
  growth.mark();
  await growth.pass(QUIET_MS);
  const quiet = growth.rates();
  const [ledS, wholeS] = await growth.loseOne();
  const plans = planTimesMs(map);
  const cells = [
    members,
    shards,
    encodeMap(map).length,
    map.version,
    `${grownS.toFixed(1)} s`,
    `${kilobytes(growing.gossip)} / ${kilobytes(quiet.gossip)}`,
    `${kilobytes(growing.links)} / ${kilobytes(quiet.links)}`,
    `${ledS.toFixed(1)} s, ${wholeS.toFixed(1)} s`,
    `${plans.growing.toFixed(1)} ms, ${plans.dead.toFixed(1)} ms`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What the controller needs for the first plan of a fleet that has just grown, and for one dead member of a settled one. */
function planTimesMs(map: ClusterMap): { readonly growing: number; readonly dead: number } {
  const [first, second, third] = map.members;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error("three members at least");
  let young = foundingMap({ ...map, founders: [first, second, third], systemVoters: [first.nodeId] });
  for (const member of map.members) {
    const joined = applyMapCommand(young, { type: "add-member", member, formerBoots: [] });
    if (!("type" in joined)) young = joined;
  }
  const dead = map.members.map((member, at) => (at === 1 ? { ...member, state: "dead" as const } : member));
  return { growing: planMs(young), dead: planMs({ ...map, members: dead }) };
}

function planMs(map: ClusterMap): number {
  const gossip = new Map(
    map.members.map(({ nodeId, boot, address, state }): [NodeId, GossipView] => [
      nodeId,
      { state: state === "dead" ? "dead" : "alive", sinceMs: 0, boot, address },
    ]),
  );
  const reports = new Map([report(SYSTEM_GROUP, map.systemVoters, map)].map((each) => [each.group, each]));
  for (const [shard, { wanted }] of map.shards.entries()) {
    const group = groupOfShard(shardId(shard));
    reports.set(group, report(group, wanted, map));
  }
  const self = map.members[0]?.nodeId as NodeId;
  const situation = { map, self, gossip, reports, membersChangedAtMs: 0, nowMs: 100_000 };
  const began = performance.now();
  planControl(situation, DEFAULT_CONTROL_OPTIONS);
  return performance.now() - began;
}

function report(group: GroupReport["group"], voters: readonly NodeId[], map: ClusterMap): GroupReport {
  return {
    group,
    leader: voters[0] ?? null,
    isLeader: true,
    term: 1,
    commitIndex: 1,
    applyIndex: 1,
    voters: [...voters].sort(),
    votersOutgoing: [],
    learners: [],
    mapVersion: map.version,
    lagging: [],
    learning: [],
    stateBytes: 0,
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB/s`;
}
