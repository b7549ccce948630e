/**
 * `crema recover`: the way out when groups have lost their majority for good. One node, any node, asks all members that live what
 * they hold, and lets the replica that reaches furthest decide alone, group by group: the system group first, which then
 * removes the lost members, so that they are refused should they come back; then the shards, which the cluster fills up
 * again by its ordinary ways.
 *
 * Never done unasked, for it breaks two promises: what only the lost machines had acknowledged is gone; and if they
 * live after all, cut off, they go on acknowledging what is thrown away when they are met again.
 * @see raft/forced.ts, decisions/0015
 */
import { CremaError } from "../base/errors.ts";
import { type GroupId, groupId, type NodeId, SHARDS_MAX, SYSTEM_GROUP, shardOfGroup } from "../base/ids.ts";
import type { Gossip } from "../host/gossip.ts";
import type { Calls } from "../host/links/calls.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock } from "../host/ports.ts";
import { WireError } from "../wire/wire-error.ts";
import type { ClusterMap } from "./cluster-map.ts";
import { decodeFacts, encodeFacts, type RecoveryFacts, replicaFacts } from "./recovery-facts.ts";
import { planRecovery, type RecoveryPlan, type RecoveryStep, removalOf } from "./recovery-plan.ts";
import { sameSet } from "./replica-lists.ts";
import type { SystemGroup } from "./system-group.ts";

const METHOD_FACTS = "cluster.recovery-facts";
const METHOD_FORCE = "cluster.recovery-force";
const CALL_TIMEOUT_MS = 2_000;
/** Until the system group leads again and has committed who is lost; and then until the shards lead. */
const SETTLE_MS = 15_000;
const LOOK_EVERY_MS = 100;

export interface RecoveryParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly groups: MultiRaft;
  readonly gossip: Gossip;
  readonly system: SystemGroup;
  readonly map: () => ClusterMap | null;
  /** Makes this node's replica of `group` its only voter. False when it leads, or cannot be used. */
  readonly force: (group: GroupId) => boolean;
  readonly log: (text: string) => void;
}

/** A plan and what it was made from. */
interface Survey {
  readonly map: ClusterMap;
  readonly answers: ReadonlyMap<NodeId, RecoveryFacts>;
  readonly plan: RecoveryPlan;
}

export class Recovery {
  readonly #parts: RecoveryParts;
  #running = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_FACTS, () => encodeFacts(this.#facts()));
    parts.calls.handle(METHOD_FORCE, (params) => {
      const [group, lastIndex, lastTerm] = Array.isArray(params) ? params : [];
      if (!isNatural(group) || group > SHARDS_MAX || !isNatural(lastIndex) || !isNatural(lastTerm))
        throw new WireError("an order to force a group names it and the end of its log", 0);
      this.#forceHere({ group: groupId(group), lastIndex, lastTerm });
      return null;
    });
  }

  /** What {@link run} would do now. CREMA_NOT_READY without a cluster map. */
  async plan(): Promise<RecoveryPlan> {
    return (await this.#survey()).plan;
  }

  /**
   * Does what {@link plan} says, if it still says that exactly the members in `lost` are lost, and resolves when every forced
   * group has a leader. Groups that have a majority are not touched. CREMA_RECOVERY_REFUSED: nothing was done.
   * Any other error: it was begun; run it again.
   */
  async run(lost: readonly NodeId[]): Promise<RecoveryPlan> {
    if (this.#running) throw refused("a recovery is under way on this node");
    this.#running = true;
    try {
      return await this.#run(lost);
    } finally {
      this.#running = false;
    }
  }

  async #run(lost: readonly NodeId[]): Promise<RecoveryPlan> {
    const { map, answers, plan } = await this.#survey();
    if (plan.obstacle !== null) throw refused(plan.obstacle);
    if (!sameSet(lost, plan.lost))
      throw refused(`the members that do not answer are ${listText(plan.lost)}, not ${listText(lost)}`);
    if (plan.steps.length === 0) return plan;
    const { log, system } = this.#parts;
    log(`recovery: ${plan.steps.length} groups are forced, and ${listText(lost)} removed`);
    const [first, ...others] = plan.steps;
    const shards = first?.group === SYSTEM_GROUP ? others : plan.steps;
    if (first?.group === SYSTEM_GROUP) await this.#force(first);
    const result = await system.propose(removalOf(map, plan, answers), SETTLE_MS);
    if (result.type === "refused")
      throw new CremaError(
        "CREMA_BUSY",
        `the lost members could not be removed: ${result.message}; run it again`,
        {
          retryable: true,
        },
      );
    await Promise.all(shards.map((step) => this.#force(step)));
    await this.#untilLed(plan.steps);
    return plan;
  }

  async #survey(): Promise<Survey> {
    const map = this.#parts.map();
    if (map === null)
      throw new CremaError("CREMA_NOT_READY", "this node knows no cluster map", { retryable: true });
    const answers = await this.#ask(map);
    const newest = Math.max(...[...answers.values()].map(({ mapVersion }) => mapVersion));
    if (newest > map.version)
      throw refused(
        `this node knows version ${map.version} of the cluster map, another one ${newest}: try again`,
      );
    return { map, answers, plan: planRecovery(map, answers) };
  }

  /** All members of `map`, this one included; whoever does not answer is left out: that is what this is about. */
  async #ask(map: ClusterMap): Promise<ReadonlyMap<NodeId, RecoveryFacts>> {
    const { self, calls } = this.#parts;
    const answers = new Map<NodeId, RecoveryFacts>([[self, this.#facts()]]);
    const others = map.members.filter(({ nodeId }) => nodeId !== self);
    await Promise.all(
      others.map(async ({ nodeId }) => {
        try {
          const facts = await calls.call(nodeId, METHOD_FACTS, null, { timeoutMs: CALL_TIMEOUT_MS });
          answers.set(nodeId, decodeFacts(facts));
        } catch (error) {
          if (!(error instanceof CremaError)) throw error;
        }
      }),
    );
    return answers;
  }

  #facts(): RecoveryFacts {
    const { self, groups, gossip } = this.#parts;
    const hears = gossip
      .members()
      .filter(({ id, state }) => id === self || state === "alive" || state === "suspect")
      .map(({ id }) => id);
    return {
      mapVersion: this.#parts.map()?.version ?? 0,
      hears,
      replicas: [...groups.groups()].map(replicaFacts),
    };
  }

  async #force({ group, node, lastIndex, lastTerm }: RecoveryStep): Promise<void> {
    if (node === this.#parts.self) this.#forceHere({ group, lastIndex, lastTerm });
    else
      await this.#parts.calls.call(node, METHOD_FORCE, [group, lastIndex, lastTerm], {
        timeoutMs: CALL_TIMEOUT_MS,
      });
  }

  /** Only if nothing has changed since it was planned: another replica might reach further by now. */
  #forceHere({ group, lastIndex, lastTerm }: Pick<RecoveryStep, "group" | "lastIndex" | "lastTerm">): void {
    const { groups, force, log } = this.#parts;
    const status = groups.get(group)?.raft.status();
    const isAsPlanned =
      lastIndex === 0
        ? status === undefined || status.configuration.voters.length === 0
        : status?.lastIndex === lastIndex && status.lastTerm === lastTerm;
    if (!isAsPlanned || !force(group))
      throw new CremaError("CREMA_BUSY", `group ${group} is not as it was when the recovery was planned`, {
        retryable: true,
      });
    log(`recovery: ${nameOf(group)} goes on with this replica alone, from ${lastTerm}/${lastIndex}`);
  }

  /** Until every group of `steps` is led, and says so. */
  async #untilLed(steps: readonly RecoveryStep[]): Promise<void> {
    const { clock } = this.#parts;
    const deadlineMs = clock.nowMs() + SETTLE_MS;
    for (;;) {
      const open = await this.#notLed(steps);
      if (open.length === 0) return;
      if (clock.nowMs() >= deadlineMs)
        throw new CremaError("CREMA_TIMEOUT", `${open.map(nameOf).join(", ")} still without a leader`, {
          retryable: true,
        });
      await new Promise<void>((resolve) => clock.setTimer(LOOK_EVERY_MS, resolve));
    }
  }

  async #notLed(steps: readonly RecoveryStep[]): Promise<readonly GroupId[]> {
    const map = this.#parts.map();
    const led = new Set<GroupId>();
    const answers = map === null ? [] : (await this.#ask(map)).values();
    for (const { replicas } of answers) for (const { group, leads } of replicas) if (leads) led.add(group);
    return steps.map(({ group }) => group).filter((group) => !led.has(group));
  }
}

function isNatural(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function refused(message: string): CremaError {
  return new CremaError("CREMA_RECOVERY_REFUSED", message);
}

function listText(nodes: readonly NodeId[]): string {
  return nodes.length === 0 ? "none" : nodes.join(" ");
}

function nameOf(group: GroupId): string {
  return group === SYSTEM_GROUP ? "the system group" : `shard ${shardOfGroup(group)}`;
}
