/**
 * One random history of a few replicas, from one seed: lost, repeated and reordered messages, delayed and lost writes, crashes,
 * partitions, changes of membership, snapshots, transfers, reads. Safety is checked after every step; then everything
 * is healed and the group must make progress.
 */
import { assert, unreachable } from "../../src/base/assert.ts";
import type { NodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { isJoint, isMember } from "../../src/raft/configuration.ts";
import type { MembershipStep } from "../../src/raft/configuration-change.ts";
import { type RaftOptions, resolveRaftOptions } from "../../src/raft/options.ts";
import { bytesOf, Cluster, type Envelope, type Host, numberOf } from "./cluster.ts";
import { Safety } from "./safety.ts";

/** What happened, so that a run can be told from one in which nothing did. */
export interface Tally {
  committed: number;
  terms: number;
  snapshots: number;
  crashes: number;
  changes: number;
  readsGranted: number;
  tombstones: number;
  transfers: number;
}

const NODES = 5;

/** How often each act happens. A history multiplies all but the first three by 0 .. 3: some see no crash, some hardly anything else. */
const WEIGHTS = {
  deliver: 400,
  tick: 80,
  persist: 250,
  propose: 50,
  read: 30,
  crash: 4,
  change: 30,
  compact: 12,
  partition: 8,
  transfer: 4,
  forget: 3,
  campaign: 3,
  wake: 3,
  unreachable: 3,
  destroy: 30,
} as const;

type Act = keyof typeof WEIGHTS;

export class Schedule {
  readonly tally: Tally = {
    committed: 0,
    terms: 0,
    snapshots: 0,
    crashes: 0,
    changes: 0,
    readsGranted: 0,
    tombstones: 0,
    transfers: 0,
  };
  readonly #random: Random;
  readonly #cluster: Cluster;
  readonly #safety = new Safety();
  readonly #leaseReads: boolean;
  /** In eighths of a tick: clocks that run apart. */
  readonly #speeds: readonly number[];
  /** In tenths: how often a host gets to do its work after something happened to it. */
  readonly #processChance: number;
  /** By host: committed anywhere when the read was asked. */
  readonly #reads = new Map<number, Map<number, number>>();
  readonly #weights: (readonly [Act, number])[] = [];
  #weightSum = 0;
  #nextRead = 1;
  #nextText = 1;

  constructor(seed: number) {
    this.#random = new Random(seed, 0);
    this.#leaseReads = this.#random.nextBelow(4) === 0;
    this.#speeds = Array.from({ length: NODES }, () => this.#random.nextBetween(1, 8));
    this.#processChance = this.#random.nextBetween(3, 10);
    const options: Partial<RaftOptions> = {
      electionTimeoutTicks: this.#random.nextBetween(2, 8),
      inflightMessagesMax: this.#random.nextBetween(1, 4),
      inflightBytesMax: this.#random.nextBetween(40, 400),
      appendBytesMax: this.#random.nextBetween(1, 200),
      committedBytesPerReadyMax: this.#random.nextBetween(1, 200),
      uncommittedBytesMax: 1_000,
      quiesceAfterHeartbeats: this.#random.nextBelow(2) * 3,
      leaseReads: this.#leaseReads,
    };
    for (const [act, weight] of Object.entries(WEIGHTS) as [Act, number][]) {
      const scaled = this.#weights.length < 3 ? weight : weight * this.#random.nextBelow(4);
      this.#weights.push([act, scaled]);
      this.#weightSum += scaled;
    }
    const voters = this.#random.nextBetween(2, 5);
    this.#cluster = Cluster.of(voters, { seed, raft: resolveRaftOptions(options) });
    for (let number = voters + 1; number <= NODES; number++) this.#cluster.add(number);
    for (const host of this.#cluster.hosts.values()) {
      host.persistsAtOnce = false;
      this.#safety.started(host);
    }
  }

  /** Chaos for `steps` steps, then healing. Throws at the first broken property. */
  run(steps: number): Tally {
    for (let step = 0; step < steps; step++) {
      const touched = this.#act();
      for (const host of touched) {
        if (this.#random.nextBelow(10) < this.#processChance) this.#process(host);
        this.#safety.check(host);
      }
    }
    this.#heal();
    for (const host of this.#cluster.hosts.values()) this.#safety.sameState(host.applied);
    this.tally.committed = this.#safety.committedIndex;
    this.tally.terms = this.#cluster.leader.raft.term;
    return this.tally;
  }

  #anyHost(): Host {
    return this.#cluster.host(this.#random.nextBetween(1, NODES));
  }

  #anyLeader(): Host | null {
    const leaders = this.#leaders();
    return leaders[this.#random.nextBelow(Math.max(1, leaders.length))] ?? null;
  }

  /** All who think they lead, deposed ones among them: those are the dangerous ones. */
  #leaders(): Host[] {
    return this.#cluster.leaders.map((number) => this.#cluster.host(number));
  }

  #act(): readonly Host[] {
    let die = this.#random.nextBelow(this.#weightSum);
    for (const [act, weight] of this.#weights) {
      if (die < weight) return this.#perform(act);
      die -= weight;
    }
    return [];
  }

  #perform(act: Act): readonly Host[] {
    switch (act) {
      case "deliver":
        return this.#deliverSome();
      case "tick":
        return this.#tickSome();
      case "persist":
        return this.#one(this.#anyHost(), (host) =>
          host.persist(Math.min(host.writes.length, 1 + this.#random.nextBelow(3))),
        );
      case "propose":
        return this.#propose();
      case "read":
        return this.#read();
      case "crash":
        return this.#crash();
      case "change":
        return this.#changeMembership();
      case "compact":
        return this.#one(this.#anyHost(), (host) => this.#compact(host));
      case "partition":
        return this.#partition();
      case "transfer":
        return this.#transfer();
      case "forget":
        return this.#one(this.#anyHost(), (host) => host.raft.forgetLeader());
      case "campaign":
        return this.#one(this.#anyHost(), (host) => host.raft.campaign());
      case "wake":
        return this.#one(this.#anyHost(), (host) => host.raft.wake());
      case "unreachable":
        return this.#one(this.#anyHost(), (host) => host.raft.reportUnreachable(this.#anyHost().node));
      case "destroy":
        return this.#destroy();
      default:
        return unreachable(act);
    }
  }

  #one(host: Host, act: (host: Host) => void): readonly Host[] {
    act(host);
    return [host];
  }

  #process(host: Host): void {
    const sent = host.process((ready) => {
      this.#safety.handedOut(host, ready);
      if (ready.persist?.snapshot) this.tally.snapshots++;
    });
    this.#cluster.network.push(...sent);
    const asked = this.#reads.get(host.number);
    for (const { context, index } of host.reads.splice(0)) {
      const committed = asked?.get(context);
      assert(committed !== undefined, "only reads that were asked are granted, and once", { context });
      asked?.delete(context);
      this.#safety.readGranted(committed, index);
      this.tally.readsGranted++;
    }
    for (const context of host.readsLost.splice(0)) {
      assert(asked?.delete(context) === true, "only reads that were asked are lost, and once", { context });
    }
  }

  /** A few messages, mostly in order; some are lost, some stay to arrive once more. */
  #deliverSome(): readonly Host[] {
    const { network } = this.#cluster;
    if (network.length === 0) return this.#tickSome();
    const touched: Host[] = [];
    for (let count = this.#random.nextBetween(1, 8); count > 0 && network.length > 0; count--) {
      const at = this.#random.nextBelow(8) > 0 ? 0 : this.#random.nextBelow(network.length);
      const envelope = network[at] as Envelope;
      const die = this.#random.nextBelow(100);
      if (die >= 2) network.splice(at, 1);
      if (die >= 98) {
        this.#cluster.drop(envelope);
        continue;
      }
      this.#cluster.deliver(envelope);
      const host = this.#cluster.hosts.get(numberOf(envelope.message.to));
      if (host === undefined) continue;
      touched.push(host);
      if (this.#random.nextBelow(10) < this.#processChance) this.#process(host);
    }
    return touched;
  }

  /** Leases trust clocks, so there all clocks tick together. */
  #tickSome(): readonly Host[] {
    const all = hostsOf(this.#cluster);
    const hosts = this.#leaseReads
      ? all
      : all.filter((host) => this.#random.nextBelow(8) < (this.#speeds[host.number - 1] ?? 1));
    for (const host of this.#random.shuffle(hosts)) host.raft.tick();
    return hosts;
  }

  #propose(): readonly Host[] {
    const leaders = this.#leaders();
    for (const leader of leaders) {
      const count = this.#random.nextBetween(1, 4);
      const texts: string[] = [];
      for (let item = 0; item < count; item++) {
        texts.push(`v${this.#nextText++}${"x".repeat(this.#random.nextBelow(30))}`);
      }
      leader.raft.propose(texts.map(bytesOf));
    }
    return leaders;
  }

  #read(): readonly Host[] {
    // What others have committed meanwhile must be seen as well.
    for (const host of this.#cluster.hosts.values()) this.#safety.check(host);
    const leaders = this.#leaders();
    for (const leader of leaders) {
      const context = this.#nextRead++;
      if (leader.raft.readIndex(context) !== "queued") continue;
      const asked = this.#reads.get(leader.number) ?? new Map<number, number>();
      asked.set(context, this.#safety.committedIndex);
      this.#reads.set(leader.number, asked);
    }
    return leaders;
  }

  #crash(): readonly Host[] {
    const host = this.#anyHost();
    if (this.#random.nextBelow(2) === 0) host.persistUnconfirmed();
    this.tally.crashes++;
    this.#reads.delete(host.number);
    host.reads.length = 0;
    host.readsLost.length = 0;
    host.restart();
    this.#safety.started(host);
    return [host];
  }

  #changeMembership(): readonly Host[] {
    const leader = this.#anyLeader();
    if (leader === null) return [];
    const types = ["add-voter", "add-voter", "add-learner", "remove"] as const;
    const steps: MembershipStep[] = [];
    const joint = this.#random.nextBelow(2) === 0;
    for (let count = joint ? this.#random.nextBetween(1, 3) : 1; count > 0; count--) {
      steps.push({ type: types[this.#random.nextBelow(4)] ?? "remove", node: this.#anyHost().node });
    }
    const result = isJoint(leader.raft.configuration)
      ? leader.raft.proposeMembership({ type: "leave-joint" })
      : joint
        ? leader.raft.proposeMembership({ type: "joint", autoLeave: this.#random.nextBelow(3) > 0, steps })
        : leader.raft.proposeMembership({ type: "simple", steps });
    if (result.type === "proposed") this.tally.changes++;
    return [leader];
  }

  #compact(host: Host): void {
    const { applied, firstIndex } = host.raft;
    if (applied < firstIndex || host.writes.length > 0) return;
    host.compact(this.#random.nextBetween(firstIndex, applied));
  }

  #partition(): readonly Host[] {
    this.#cluster.heal();
    const numbers = this.#random.shuffle(hostsOf(this.#cluster).map((host) => host.number));
    switch (this.#random.nextBelow(6)) {
      case 0:
        return [];
      case 1:
        this.#cluster.isolate(this.#anyHost().number);
        return [];
      case 2:
        for (const one of numbers.slice(0, 2))
          for (const other of numbers.slice(2)) this.#cluster.cut(one, other);
        return [];
      case 3:
        for (const one of numbers.slice(0, 2)) {
          for (const other of numbers.slice(2)) {
            this.#cluster.cut(one, other);
            this.#cluster.cut(other, one);
          }
        }
        return [];
      default:
        this.#cluster.isolate((this.#anyLeader() ?? this.#anyHost()).number);
        return [];
    }
  }

  #transfer(): readonly Host[] {
    const leader = this.#anyLeader();
    if (leader === null) return [];
    if (leader.raft.transferLeader(this.#anyHost().node).type === "started") this.tally.transfers++;
    return [leader];
  }

  /** A host that the settled configuration leaves out destroys its replica; later it may be given the group again. */
  #destroy(): readonly Host[] {
    if (this.#cluster.leaders.length === 0) return [];
    const { configuration, configurationIndex, commit } = this.#cluster.leader.raft.status();
    if (isJoint(configuration) || configurationIndex > commit) return [];
    const strangers = hostsOf(this.#cluster).filter(
      (host) => !isMember(configuration, host.node) && host.raft.lastIndex > 0,
    );
    const host = strangers[this.#random.nextBelow(Math.max(1, strangers.length))];
    if (host === undefined) return [];
    const last = host.raft.status();
    this.tally.tombstones++;
    const fresh = this.#cluster.add(
      host.number,
      undefined,
      { term: last.term, vote: last.vote, lastIndex: last.lastIndex, lastTerm: last.lastTerm },
      host.options,
    );
    fresh.persistsAtOnce = false;
    this.#reads.delete(host.number);
    this.#safety.started(fresh);
    return [fresh];
  }

  #heal(): void {
    const { hosts } = this.#cluster;
    this.#cluster.heal();
    for (const host of hosts.values()) host.raft.wake();
    for (let tick = 0; tick < 600; tick++) {
      for (const host of hosts.values()) host.raft.tick();
      this.#settle();
      if (this.#madeProgress()) return;
    }
    assert(false, "a healed group makes progress", { hosts: hostsOf(this.#cluster).map(sketch) });
  }

  #settle(): void {
    for (let round = 0; round < 2_000; round++) {
      for (const host of hostsOf(this.#cluster)) {
        host.persist();
        this.#process(host);
        this.#safety.check(host);
      }
      if (
        this.#cluster.network.length === 0 &&
        hostsOf(this.#cluster).every((host) => host.writes.length === 0)
      )
        return;
      const batch = this.#cluster.network;
      this.#cluster.network = [];
      for (const envelope of batch) this.#cluster.deliver(envelope);
    }
    assert(false, "a healed group comes to rest between ticks");
  }

  #finalText: string | null = null;

  /** Proposes a last value, until all members have applied it and the configuration is not joint. */
  #madeProgress(): boolean {
    if (this.#cluster.leaders.length === 0) return false;
    const { raft } = this.#cluster.leader;
    if (isJoint(raft.configuration)) {
      raft.proposeMembership({ type: "leave-joint" });
      return false;
    }
    const text = this.#finalText;
    const members = hostsOf(this.#cluster).filter((host) => isMember(raft.configuration, host.node));
    if (text !== null && members.every((host) => host.applied.some((applied) => applied.text === text))) {
      assert(this.#cluster.leaders.includes(numberOf(raft.self)), "the leader still leads");
      return true;
    }
    const fresh = `final${this.#nextText++}`;
    if (text === null || !this.#cluster.leader.applied.some((applied) => applied.text === text)) {
      if (raft.propose([bytesOf(fresh)]).type === "proposed") this.#finalText = fresh;
    }
    return false;
  }
}

function hostsOf(cluster: Cluster): Host[] {
  return [...cluster.hosts.values()];
}

/** One line about a host, for the message of a failure. */
function sketch(host: Host): string {
  const { role, term, commit, lastIndex, lastTerm, baseIndex, quiesced, configuration, progress } =
    host.raft.status();
  const numbers = (nodes: readonly NodeId[]) => nodes.map(numberOf).join("");
  const { voters, votersOutgoing, learners } = configuration;
  const peers = [...progress].map(
    ([node, { match, next, state }]) => `${numberOf(node)}:${state}:${match}<${next}`,
  );
  return (
    `${host.number} ${role} term=${term} commit=${commit} last=${lastTerm}/${lastIndex} base=${baseIndex} ` +
    `(${numbers(voters)})(${numbers(votersOutgoing)})(${numbers(learners)})${quiesced ? " quiesced" : ""} ${peers.join(" ")}`
  );
}
