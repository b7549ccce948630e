/**
 * What the leader of the system group does all day: compares the map with what gossip and reports say, and commits what
 * `controller.ts` answers. On every other node this sleeps.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { Clock } from "../host/ports.ts";
import { SoonestTimer } from "../host/soonest-timer.ts";
import type { ClusterMap } from "./cluster-map.ts";
import { type ControlOptions, type GossipView, planControl } from "./controller.ts";
import type { GroupReport } from "./group-report.ts";
import type { SystemGroup } from "./system-group.ts";

/** How soon after an event the situation is looked at. */
const SOON_MS = 20;
/** How often it is looked at anyway. */
const BEAT_MS = 250;

export interface SystemLeaderParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly system: SystemGroup;
  readonly map: () => ClusterMap | null;
  readonly gossip: () => ReadonlyMap<NodeId, GossipView>;
  readonly reports: () => ReadonlyMap<GroupId, GroupReport>;
  readonly options: ControlOptions;
  readonly onCommand: (text: string) => void;
}

export class SystemLeader {
  readonly #parts: SystemLeaderParts;
  readonly #timer: SoonestTimer;
  #busy = false;
  #members = "";
  #membersChangedAtMs = 0;
  readonly counters = { commands: 0, refused: 0 };

  constructor(parts: SystemLeaderParts) {
    this.#parts = parts;
    this.#timer = new SoonestTimer(parts.clock, () => {
      this.#beat();
      this.#timer.within(BEAT_MS);
    });
    this.#timer.within(BEAT_MS);
  }

  /** This node may have begun to lead: what it thought it knew of the past is worth nothing. */
  elected(): void {
    this.#members = "";
    this.look();
  }

  /** Something that may matter has changed. */
  look(): void {
    this.#timer.within(SOON_MS);
  }

  close(): void {
    this.#timer.close();
  }

  #beat(): void {
    const { system, clock, self, options } = this.#parts;
    const map = this.#parts.map();
    if (map === null || !system.isLeader || this.#busy) return;
    this.#noteMembers(map);
    const commands = planControl(
      {
        map,
        self,
        gossip: this.#parts.gossip(),
        reports: this.#parts.reports(),
        membersChangedAtMs: this.#membersChangedAtMs,
        nowMs: clock.nowMs(),
      },
      options,
    );
    if (commands.length === 0) return;
    this.#busy = true;
    this.#commit(commands)
      .catch((error: unknown) => this.#parts.onCommand(`not committed: ${String(error)}`))
      .finally(() => {
        this.#busy = false;
        this.look();
      });
  }

  async #commit(commands: ReturnType<typeof planControl>): Promise<void> {
    for (const command of commands) {
      const result = await this.#parts.system.proposeHere(command);
      this.counters[result.type === "applied" ? "commands" : "refused"]++;
      this.#parts.onCommand(
        `${command.type}: ${result.type === "applied" ? `version ${result.version}` : result.message}`,
      );
      if (result.type === "refused") return;
    }
  }

  #noteMembers(map: ClusterMap): void {
    const members = map.members.map(({ nodeId, boot, state }) => `${nodeId}:${boot}:${state}`).join();
    if (members === this.#members) return;
    this.#members = members;
    this.#membersChangedAtMs = this.#parts.clock.nowMs();
  }
}
