/**
 * The way of this node into a cluster: drives the pure founding protocol with calls, a resolver and a timer until this
 * node has founded or joined. After that it keeps answering others, and keeps gossip supplied with the seeds.
 */
import { type Address, formatAddress, sameAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Calls } from "../host/links/calls.ts";
import type { Clock, Resolver, Timer } from "../host/ports.ts";
import type { MemberIdentity } from "./cluster-map.ts";
import type { ControlPlane } from "./control-plane.ts";
import {
  type AcceptorState,
  decodeFoundingAnswer,
  decodeFoundingMessage,
  encodeFoundingAnswer,
  encodeFoundingMessage,
  Founding,
  type FoundingAction,
  type FoundingMessage,
  type FoundingOptions,
} from "./founding.ts";
import { isIpAddress } from "./seed-list.ts";

const METHOD_FOUNDING = "cluster.founding";
const CALL_TIMEOUT_MS = 2_000;
/** Names behind the seeds are resolved anew this often, for ever. */
const RESOLVE_MS = 10_000;

export type JoiningReport =
  | { readonly type: "seed-unreachable" | "seed-reachable"; readonly seed: Address; readonly reason: string }
  | { readonly type: "log"; readonly level: "info" | "warn"; readonly message: string };

export interface JoiningParts {
  readonly identity: () => MemberIdentity;
  readonly seeds: readonly Address[];
  readonly options: {
    readonly bootstrap: FoundingOptions["bootstrap"];
    readonly bootstrapExpect: number;
    readonly foundingDelayMs: number;
    readonly shards: number;
    readonly replicationFactor: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: Resolver;
  readonly calls: Calls;
  readonly control: ControlPlane;
  /** What an earlier life of this node promised; null: nothing. */
  readonly acceptor: AcceptorState | null;
  /** Resolves once a promise outlives this process; until then nobody is told of it. null in memory mode: at once. */
  readonly keepPromise: ((state: AcceptorState) => Promise<void>) | null;
  /** Members of some cluster that gossip has met, alive: the way in when no seed is of use any more. Asked again each time. */
  readonly members: () => readonly Address[];
  /** Addresses behind the seeds, for gossip. */
  readonly onSeedsResolved: (addresses: readonly Address[]) => void;
  readonly onReport: (report: JoiningReport) => void;
  /**
   * The cluster at `address` took this node in, gave it up before it heard of that, and takes nobody in twice: under
   * this id there is no way in any more.
   */
  readonly onRefusedForEver: (address: Address) => void;
}

export class Joining {
  readonly #parts: JoiningParts;
  /** null before the start: until then this node does not know what it will say of itself. */
  #founding: Founding | null = null;
  #seeds: readonly Address[];
  #timer: Timer | null = null;
  #resolveTimer: Timer | null = null;
  #joining = false;
  #membersTried = 0;
  /** The newest promise that is not kept durably yet, and with it all before. */
  #keeping: Promise<void> | null = null;
  #closed = false;
  #waitingFor = "this node has not started yet";

  constructor(parts: JoiningParts) {
    this.#parts = parts;
    this.#seeds = parts.seeds;
    parts.calls.handle(METHOD_FOUNDING, (params) => {
      const message = decodeFoundingMessage(params);
      if (this.#founding === null)
        throw new CremaError("CREMA_NOT_READY", "this node is starting", { retryable: true });
      const answer = this.#founding.handle(message, parts.control.clusterId, parts.clock.nowMs());
      this.#drive();
      const encoded = encodeFoundingAnswer(answer);
      return this.#keeping === null ? encoded : this.#keeping.then(() => encoded);
    });
  }

  /** What stands between this node and a cluster, for people. */
  get waitingFor(): string {
    return this.#waitingFor;
  }

  /** Somebody has told this node of others. */
  get hasSeeds(): boolean {
    return this.#seeds.length > 0;
  }

  start(): void {
    this.#founding = this.#newFounding();
    this.#resolveForEver();
    this.#drive();
  }

  /** More seeds, given while running: tried at once, unless this node belongs to a cluster already. */
  addSeeds(seeds: readonly Address[]): void {
    const news = seeds.filter((seed) => !this.#seeds.some((known) => sameAddress(known, seed)));
    if (news.length === 0 || this.#closed) return;
    this.#seeds = [...this.#seeds, ...news];
    this.#resolveForEver();
    if (this.#parts.control.clusterId !== null || this.#founding === null) return;
    this.#founding = this.#newFounding();
    this.#drive();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#resolveTimer?.cancel();
  }

  #newFounding(): Founding {
    const { identity, options, random, clock } = this.#parts;
    const { bootstrap, bootstrapExpect, foundingDelayMs, shards, replicationFactor } = options;
    return new Founding({
      self: identity(),
      seeds: this.#seeds,
      options: { bootstrap, bootstrapExpect, foundingDelayMs, shardCount: shards, replicationFactor },
      random: random.fork(),
      nowMs: clock.nowMs(),
      settled: this.#parts.control.clusterId !== null,
      onPersist: (state) => this.#keep(state),
      // What was promised under the old list of seeds, or in an earlier life, still binds.
      ...this.#promised(),
    });
  }

  #promised(): { readonly acceptor?: AcceptorState } {
    const acceptor = this.#founding?.acceptorState ?? this.#parts.acceptor;
    return acceptor === null ? {} : { acceptor };
  }

  #keep(state: AcceptorState): void {
    const { keepPromise } = this.#parts;
    if (keepPromise === null) return;
    const keeping = keepPromise(state);
    this.#keeping = keeping;
    void keeping.then(() => {
      if (this.#keeping === keeping) this.#keeping = null;
    });
  }

  #drive(): void {
    if (this.#closed || this.#founding === null) return;
    if (!this.#founding.done) this.#founding.membersMet(this.#parts.members(), this.#parts.clock.nowMs());
    this.#founding.advance(this.#parts.clock.nowMs());
    const actions = this.#founding.takeActions();
    // What follows from a promise waits for it: our own counts in our own ballot.
    if (this.#keeping === null) this.#actAll(actions);
    else if (actions.length > 0) void this.#keeping.then(() => this.#actAll(actions));
    this.#arm();
  }

  #actAll(actions: readonly FoundingAction[]): void {
    for (const action of actions) if (!this.#closed) this.#act(action);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const atMs = this.#founding?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
    if (this.#closed || !Number.isFinite(atMs)) return;
    const delayMs = Math.max(1, atMs - this.#parts.clock.nowMs());
    this.#timer = this.#parts.clock.setTimer(delayMs, () => this.#drive());
  }

  #act(action: FoundingAction): void {
    switch (action.type) {
      case "call":
        this.#call(action.id, action.to, action.message);
        return;
      case "found":
        this.#found(action.value);
        return;
      case "join":
        void this.#join(action.address);
        return;
      case "report":
        this.#report(action);
    }
  }

  #call(id: number, to: Address, message: FoundingMessage): void {
    const { calls, clock } = this.#parts;
    const founding = this.#founding;
    if (founding === null) return;
    calls
      .callAddress(to, METHOD_FOUNDING, encodeFoundingMessage(message), { timeoutMs: CALL_TIMEOUT_MS })
      .then(
        ({ value, self }) => {
          try {
            founding.onAnswer(id, decodeFoundingAnswer(value), self, clock.nowMs());
          } catch (error) {
            founding.onFailure(id, `it answered nonsense: ${String(error)}`, clock.nowMs());
          }
          this.#drive();
        },
        (error: unknown) => {
          founding.onFailure(id, error instanceof Error ? error.message : String(error), clock.nowMs());
          this.#drive();
        },
      );
  }

  #found(value: Parameters<ControlPlane["found"]>[0]): void {
    const alone = value.voters.length === 1;
    this.#report({
      type: "report",
      level: "info",
      message: `founding cluster ${value.clusterId} with ${alone ? "this node alone" : `${value.voters.length} nodes`}`,
    });
    const { bootstrap } = this.#parts.options;
    const name = this.#seeds.find(({ host }) => !isIpAddress(host) && host !== "localhost");
    if (alone && bootstrap === "auto" && name !== undefined) {
      const message =
        `${formatAddress(name)} leads to this node alone: if it is the name of several nodes, each of them may now have ` +
        "founded a cluster of its own; give all of them their number with --bootstrap-expect";
      this.#parts.onReport({ type: "log", level: "warn", message });
    }
    this.#parts.control.found(value);
  }

  async #join(address: Address): Promise<void> {
    if (this.#joining || this.#closed) return;
    this.#joining = true;
    try {
      await this.#parts.control.join(address);
    } catch (error) {
      if (error instanceof CremaError && error.code === "CREMA_REMOVED")
        this.#parts.onRefusedForEver(address);
      const reason = error instanceof CremaError || error instanceof Error ? error.message : String(error);
      this.#waitingFor = `joining through ${formatAddress(address)}: ${reason}`;
      await this.#joinThroughMember();
      if (this.#parts.control.clusterId === null)
        this.#founding?.joinFailed(reason, this.#parts.clock.nowMs());
    } finally {
      this.#joining = false;
      this.#drive();
    }
  }

  /**
   * A seed that told of its cluster may be gone for good before it could take this node in. Whom gossip met through it can do so,
   * too. One of them is tried each time the seed was of no use; only then, for then nothing is founded meanwhile.
   */
  async #joinThroughMember(): Promise<void> {
    const members = this.#parts.members();
    const address = members[this.#membersTried++ % Math.max(1, members.length)];
    if (address === undefined || this.#closed || this.#parts.control.clusterId !== null) return;
    try {
      await this.#parts.control.join(address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#waitingFor = `joining through ${formatAddress(address)}: ${reason}`;
    }
  }

  #report(report: Extract<FoundingAction, { type: "report" }>): void {
    this.#waitingFor = report.message;
    const { code, seed, level, message } = report;
    if ((code === "seed-unreachable" || code === "seed-reachable") && seed !== undefined) {
      this.#parts.onReport({ type: code, seed, reason: message });
    }
    this.#parts.onReport({ type: "log", level, message });
  }

  #resolveForEver(): void {
    this.#resolveTimer?.cancel();
    if (this.#closed || this.#seeds.length === 0) return;
    this.#resolveTimer = this.#parts.clock.setTimer(RESOLVE_MS, () => this.#resolveForEver());
    void this.#resolveAll(this.#seeds);
  }

  /** Each name on its own: a slow one keeps nobody waiting. A name that does not resolve now has no address now. */
  async #resolveAll(seeds: readonly Address[]): Promise<void> {
    const { resolver, clock } = this.#parts;
    const found = await Promise.all(
      seeds.map(async (seed) => {
        const addresses = await resolver.resolve(seed).catch(() => []);
        if (!this.#closed) this.#founding?.seedsResolved(seed, addresses, clock.nowMs());
        this.#drive();
        return addresses;
      }),
    );
    if (!this.#closed) this.#parts.onSeedsResolved(found.flat());
  }
}
