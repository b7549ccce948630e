/**
 * A whole cluster in miniature: a map, gossip, and all groups, in virtual time. The controller's commands are applied by
 * the real map machine; the groups take the steps of the real `nextShardStep`.
 */
import { expect } from "vitest";
import type { Address } from "../../src/base/address.ts";
import {
  type BootNonce,
  bootNonce,
  clusterId,
  type GroupId,
  groupId,
  type NodeId,
} from "../../src/base/ids.ts";
import { type ClusterMap, findMember, type MemberIdentity } from "../../src/cluster/cluster-map.ts";
import {
  type ControlOptions,
  type ControlSituation,
  DEFAULT_CONTROL_OPTIONS,
  type GossipView,
  planControl,
} from "../../src/cluster/controller.ts";
import { foundingMap } from "../../src/cluster/founding-map.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import type { MapCommand } from "../../src/cluster/map-command.ts";
import { MapMachine } from "../../src/cluster/map-machine.ts";
import type { ShardMemberState } from "../../src/cluster/shard-steps.ts";
import { node, VirtualGroup, type World } from "./virtual-group.ts";

export const TICK_MS = 100;

export function identity(name: number, zone = ""): MemberIdentity {
  const nodeId = node(name);
  return {
    nodeId,
    boot: bootOf(nodeId),
    address: addressOf(name),
    name: `n${name}`,
    zone,
    weight: 1,
    respPort: 0,
    httpPort: 0,
  };
}

export function bootOf(id: NodeId): BootNonce {
  return bootNonce(id);
}

export function addressOf(name: number): Address {
  return { host: "10.0.0.1", port: 1_000 + name };
}

export class VirtualCluster {
  readonly machine: MapMachine;
  readonly groups = new Map<GroupId, VirtualGroup>();
  readonly gossip = new Map<NodeId, GossipView>();
  readonly options: ControlOptions;
  readonly log: MapCommand[] = [];
  nowMs = 0;
  membersChangedAtMs = 0;
  /** Most shards seen on the move at once. */
  movingMax = 0;
  #members = "";

  constructor(
    founders: readonly MemberIdentity[],
    shardCount: number,
    options: Partial<ControlOptions> = {},
  ) {
    this.options = { ...DEFAULT_CONTROL_OPTIONS, ...options };
    const map = foundingMap({
      clusterId: clusterId("00000000000000cc"),
      founders,
      shardCount,
      replicationFactor: 3,
    });
    this.machine = new MapMachine(map);
    this.groups.set(groupId(0), new VirtualGroup(map.systemVoters));
    for (const [shard, { founding }] of map.shards.entries()) {
      this.groups.set(groupId(shard + 1), new VirtualGroup(founding));
    }
    for (const founder of founders) this.gossipOf(founder, "alive");
  }

  get map(): ClusterMap {
    const { map } = this.machine;
    if (map === null) throw new Error("no map");
    return map;
  }

  get reports(): Map<GroupId, GroupReport> {
    return new Map([...this.groups].map(([id, group]) => [id, group.report(id)]));
  }

  gossipOf({ nodeId, boot, address }: MemberIdentity, state: GossipView["state"]): void {
    this.gossip.set(nodeId, { state, sinceMs: this.nowMs, boot, address });
  }

  join(member: MemberIdentity): void {
    this.apply({ type: "add-member", member, formerBoots: [] });
    this.gossipOf(member, "alive");
  }

  setGossip(name: number, state: GossipView["state"]): void {
    const view = this.gossip.get(node(name));
    if (view !== undefined && view.state !== state)
      this.gossip.set(node(name), { ...view, state, sinceMs: this.nowMs });
  }

  drain(name: number): void {
    const member = findMember(this.map, node(name));
    if (member === null || member.state === "dead") return;
    this.apply({ type: "set-member-state", nodeId: member.nodeId, boot: member.boot, state: "draining" });
  }

  apply(command: MapCommand): void {
    const result = this.machine.apply(command);
    expect(result.type, JSON.stringify([command, result])).toBe("applied");
    const members = this.map.members.map(({ nodeId, state }) => nodeId + state).join();
    if (members !== this.#members) {
      this.#members = members;
      this.membersChangedAtMs = this.nowMs;
    }
  }

  situation(): ControlSituation {
    const { map, gossip, reports, membersChangedAtMs, nowMs } = this;
    const self = this.groups.get(groupId(0))?.leader ?? node(0);
    return { map, self, gossip, reports, membersChangedAtMs, nowMs };
  }

  plan(): readonly MapCommand[] {
    return planControl(this.situation(), this.options);
  }

  /** What the controller wants is committed, and every group takes one step. */
  tick(): void {
    this.nowMs += TICK_MS;
    const world = this.world();
    if (this.#systemWorks(world)) {
      for (const command of this.plan()) {
        const before = this.map.version;
        this.log.push(command);
        this.apply(command);
        expect(this.map.version, `a command changes something: ${JSON.stringify(command)}`).toBe(before + 1);
      }
    }
    this.#noteMoves(world);
    this.beatGroups();
  }

  /** Every group takes one step, and whoever lives catches up. */
  beatGroups(): void {
    const world = this.world();
    for (const [id, group] of this.groups) {
      group.beat(this.wantedOf(id), world);
      for (const replica of world.live) {
        const { voters, learners } = group.configuration;
        if (voters.includes(replica) || learners.includes(replica)) group.catchUp(replica);
      }
    }
  }

  /** Ticks until the controller is content and all groups are where they should be. Fails when that takes too long. */
  settle(ticksMax = 400): number {
    let quiet = 0;
    for (let tick = 0; tick < ticksMax; tick++) {
      const { map } = this;
      const steps = this.#stepCount();
      this.tick();
      quiet = this.map === map && this.#stepCount() === steps ? quiet + 1 : 0;
      // Longer than the grace after which a death is believed.
      if (quiet > this.options.deadGraceMs / TICK_MS + 5) return tick;
    }
    throw new Error(`not settled: ${JSON.stringify(this.log.slice(-5))}`);
  }

  wantedOf(group: GroupId): readonly NodeId[] {
    return group === 0 ? this.map.systemVoters : (this.map.shards[group - 1]?.wanted ?? []);
  }

  world(): World {
    const memberStates = new Map<NodeId, ShardMemberState>();
    const live = new Set<NodeId>();
    for (const [id, { state }] of this.gossip) if (state === "alive" || state === "suspect") live.add(id);
    for (const { nodeId, state } of this.map.members) {
      const gossiped = this.gossip.get(nodeId)?.state;
      if (state === "dead" || gossiped === "dead" || gossiped === "left") memberStates.set(nodeId, "dead");
      else
        memberStates.set(
          nodeId,
          state === "draining" ? "draining" : gossiped === "suspect" ? "suspect" : "alive",
        );
    }
    return { memberStates, live };
  }

  #systemWorks({ live }: World): boolean {
    const { voters, votersOutgoing } = (this.groups.get(groupId(0)) as VirtualGroup).configuration;
    return [voters, votersOutgoing].every(
      (list) => list.length === 0 || list.filter((voter) => live.has(voter)).length * 2 > list.length,
    );
  }

  #noteMoves({ live }: World): void {
    let moving = 0;
    for (const [id, { configuration }] of this.groups) {
      if (
        id === 0 ||
        configuration.voters.filter((voter) => live.has(voter)).length * 2 <= configuration.voters.length
      )
        continue;
      if (this.wantedOf(id).some((wanted) => live.has(wanted) && !configuration.voters.includes(wanted)))
        moving++;
    }
    this.movingMax = Math.max(this.movingMax, moving);
  }

  #stepCount(): number {
    let count = 0;
    for (const group of this.groups.values()) count += group.steps.length;
    return count;
  }
}
