/**
 * Everything the nodes of a scenario said, with the time: what a script asks when it wants to know whether something
 * happened, or that it did not.
 */
import type { ClusterId, GroupId, NodeId } from "../../base/ids.ts";
import type { NodeEvent } from "../../node/door.ts";
import type { Fleet, FleetLife } from "../fleet.ts";

/** The member of the union that has this type, which it may share with others. */
type Having<Type, Event> = Event extends { readonly type: infer Types }
  ? Type extends Types
    ? Event
    : never
  : never;
type EventOf<Type extends NodeEvent["type"]> = Having<Type, NodeEvent>;

export interface Heard<Event extends NodeEvent = NodeEvent> {
  readonly atMs: number;
  readonly life: FleetLife;
  readonly event: Event;
}

/** A leader began to hand a group over. */
interface Transfer {
  readonly atMs: number;
  readonly group: number;
}

const TRANSFER_STARTED = /^group (\d+): transfer to \S+: started$/;

export class FleetEvents {
  readonly #heard: Heard[] = [];
  readonly #transfers: Transfer[] = [];
  readonly #logged: string[] = [];

  constructor(fleet: Fleet) {
    fleet.onEvent = (life, event) => void this.#heard.push({ atMs: fleet.nowMs, life, event });
    fleet.onLog = (message) => {
      this.#logged.push(message);
      const group = TRANSFER_STARTED.exec(message)?.[1];
      if (group !== undefined) this.#transfers.push({ atMs: fleet.nowMs, group: Number(group) });
    };
  }

  /** All events of a type since `sinceMs`, oldest first. */
  since<Type extends NodeEvent["type"]>(sinceMs: number, type: Type): readonly Heard<EventOf<Type>>[] {
    return this.#heard.filter(
      (heard): heard is Heard<EventOf<Type>> => heard.atMs >= sinceMs && heard.event.type === type,
    );
  }

  /** Whether anybody said that `cluster` began cold. */
  hasHeardOfColdStart(cluster: ClusterId): boolean {
    return this.#heard.some(({ event }) => event.type === "cold-start" && event.clusterId === cluster);
  }

  /** Whether anybody ever logged a line like it. */
  hasLogged(pattern: RegExp): boolean {
    return this.#logged.some((message) => pattern.test(message));
  }

  /** How often leaders of `group` began to hand it over since `sinceMs`: each may cost a term, and is no accident. */
  transfersSince(sinceMs: number, group: GroupId): number {
    return this.#transfers.filter((transfer) => transfer.atMs >= sinceMs && transfer.group === group).length;
  }

  /** Ids that somebody took for dead since `sinceMs`. */
  diedSince(sinceMs: number): ReadonlySet<NodeId> {
    return new Set(this.since(sinceMs, "member-died").map(({ event }) => event.nodeId));
  }
}
