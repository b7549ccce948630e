/**
 * Sees everything that happens to one shard of a fleet and remembers what the story and its checks need: who led which
 * term, what every replica applied, and when somebody took or lost a role.
 */
import { type GroupId, groupId } from "../../base/ids.ts";
import type { HostProbe } from "../../host/probe.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Role } from "../../raft/ready.ts";
import { checksum } from "../checksum.ts";
import type { FleetObserver } from "../fleet.ts";
import type { Life } from "../life.ts";

/** The group of shard 0, which the story is about. */
export const STORY_GROUP: GroupId = groupId(1);

export interface RoleChange {
  readonly life: Life;
  readonly from: Role;
  readonly to: Role;
  readonly term: number;
  readonly termBefore: number;
}

/** Who was leader of one term of one group: the names of all that were. */
export interface LedTerm {
  readonly group: number;
  readonly term: number;
  readonly leaders: readonly string[];
}

export class Witness implements FleetObserver {
  /** Called when a replica of the story's shard changes its role. */
  onRole: (change: RoleChange) => void = () => {};
  readonly #leaders = new Map<string, LedTerm>();
  /** By name: a fingerprint of each entry applied, by its index. */
  readonly #applied = new Map<string, Map<number, string>>();
  readonly #roles = new Map<string, { readonly role: Role; readonly term: number }>();

  probeFor(life: () => Life): HostProbe {
    return {
      opened: () => {},
      ready: () => {},
      applied: (group, entry) => {
        if (group.id === STORY_GROUP) this.#appliedBy(life().name).set(entry.index, fingerprint(entry));
      },
      installed: () => {},
      readAsked: () => {},
      removed: () => {},
      buried: () => {},
      forced: () => {},
      failed: () => {},
    };
  }

  started(_life: Life): void {}

  ended(_life: Life): void {}

  after(life: Life): void {
    for (const { id, raft } of life.node.groups.groups()) {
      if (raft.role === "leader") this.#led(id, raft.term, life.name);
      if (id === STORY_GROUP) this.#look(life, raft.role, raft.term);
    }
  }

  /** Every term of every group that anybody led. */
  get ledTerms(): readonly LedTerm[] {
    return [...this.#leaders.values()];
  }

  /** What the replica of `name` has applied, by index. */
  appliedBy(name: string): ReadonlyMap<number, string> {
    return this.#appliedBy(name);
  }

  #appliedBy(name: string): Map<number, string> {
    let applied = this.#applied.get(name);
    if (applied === undefined) {
      applied = new Map();
      this.#applied.set(name, applied);
    }
    return applied;
  }

  #led(group: number, term: number, name: string): void {
    const key = `${group}/${term}`;
    const led = this.#leaders.get(key);
    if (led === undefined) this.#leaders.set(key, { group, term, leaders: [name] });
    else if (!led.leaders.includes(name)) {
      this.#leaders.set(key, { ...led, leaders: [...led.leaders, name] });
    }
  }

  #look(life: Life, role: Role, term: number): void {
    const before = this.#roles.get(life.name) ?? { role: "follower", term };
    this.#roles.set(life.name, { role, term });
    if (before.role !== role) {
      this.onRole({ life, from: before.role, to: role, term, termBefore: before.term });
    }
  }
}

function fingerprint(entry: Entry): string {
  const bytes = entry.kind === "data" ? `${entry.data.length} ${checksum(entry.data)}` : "";
  return `${entry.term} ${entry.kind} ${bytes}`;
}
