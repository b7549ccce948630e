/**
 * This node's access to the system group: proposing map commands, here if this node leads it, else by one call to the
 * node that does.
 */
import { CremaError } from "../base/errors.ts";
import { type NodeId, SYSTEM_GROUP } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock } from "../host/ports.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { WireError } from "../wire/wire-error.ts";
import { decodeMapCommand, encodeMapCommand } from "./cluster-codec.ts";
import type { MapCommand, MapResult } from "./map-command.ts";

const METHOD_PROPOSE = "cluster.propose";
/** One attempt at one node. */
const ATTEMPT_TIMEOUT_MS = 2_000;
/** Pause between attempts while nobody leads. */
const RETRY_MS = 100;

export interface SystemGroupParts {
  readonly self: NodeId;
  readonly groups: MultiRaft;
  readonly calls: Calls;
  readonly clock: Clock;
  /** Who may lead, the likeliest first. */
  readonly candidates: () => readonly NodeId[];
}

export class SystemGroup {
  readonly #parts: SystemGroupParts;
  readonly #writer = new ByteWriter(1_024);

  constructor(parts: SystemGroupParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_PROPOSE, (params) => {
      if (!(params instanceof Uint8Array)) throw new WireError("a map command is bytes", 0);
      return this.proposeHere(decodeMapCommand(params));
    });
  }

  get group(): RaftGroup<MapResult> | undefined {
    return this.#parts.groups.get(SYSTEM_GROUP) as RaftGroup<MapResult> | undefined;
  }

  get isLeader(): boolean {
    return this.group?.isReadyLeader === true;
  }

  /**
   * Commits `command` and answers its result. Every map command is idempotent, so an attempt whose fate is unknown is
   * simply made again. Fails with CREMA_NO_LEADER when the deadline passes first.
   */
  async propose(command: MapCommand, timeoutMs: number): Promise<MapResult> {
    const { clock, calls, self } = this.#parts;
    const deadlineMs = clock.nowMs() + timeoutMs;
    let last: unknown = null;
    for (let attempt = 0; clock.nowMs() < deadlineMs; attempt++) {
      try {
        if (this.group?.isLeader === true) return await this.proposeHere(command);
        const others = this.#parts.candidates().filter((node) => node !== self);
        const target = others[attempt % Math.max(1, others.length)];
        if (target !== undefined) {
          const left = Math.min(ATTEMPT_TIMEOUT_MS, Math.max(1, deadlineMs - clock.nowMs()));
          return (await calls.call(target, METHOD_PROPOSE, encodeMapCommand(command), {
            timeoutMs: left,
          })) as MapResult;
        }
      } catch (error) {
        if (!(error instanceof CremaError)) throw error;
        last = error;
      }
      await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
    throw new CremaError("CREMA_NO_LEADER", "the system group has no leader that answers", {
      retryable: true,
      cause: last,
    });
  }

  /** Commits `command` if this node leads; CREMA_NOT_LEADER otherwise. */
  proposeHere(command: MapCommand): Promise<MapResult> {
    const { group } = this;
    return new Promise((resolve, reject) => {
      if (group === undefined) {
        reject(notLeader());
        return;
      }
      this.#writer.reset();
      this.#writer.bytes(encodeMapCommand(command));
      group.submit(this.#writer.view(), {
        applied: resolve,
        dropped: (why) => reject(notLeader(why)),
      });
    });
  }
}

function notLeader(why = "not-leader"): CremaError {
  return new CremaError("CREMA_NOT_LEADER", `this node does not lead the system group (${why})`, {
    retryable: true,
    ambiguous: why === "unknown",
  });
}
