/**
 * Histories for tests: short ones written down by hand, and long ones that a real register made, so that they are
 * linearizable by construction.
 */
import type { Random } from "../../../src/base/random.ts";
import type {
  Operation,
  OperationInput,
  OperationResult,
} from "../../../src/sim/linearizability/operation.ts";

/** An operation by hand. Ids follow the list, see {@link history}. */
export interface Line {
  readonly input: OperationInput;
  readonly from: number;
  /** Null: never answered. */
  readonly to: number | null;
  readonly result: OperationResult;
}

export function history(lines: readonly Line[], key = "k"): Operation[] {
  return lines.map(({ input, from, to, result }, index) => ({
    id: index + 1,
    client: `c${index + 1}`,
    node: "n1",
    key,
    input,
    invokedAtMs: from,
    returned: to === null ? null : { atMs: to, result },
  }));
}

/** A line in shorthand: `answered(0, 10, get, "a")`, `unanswered(0, put("a"))`. */
export function answered(from: number, to: number, input: OperationInput, result: OperationResult): Line {
  return { input, from, to, result };
}

export function unanswered(from: number, input: OperationInput): Line {
  return { input, from, to: null, result: null };
}

export const get: OperationInput = { type: "get" };
export const getVersioned: OperationInput = { type: "get-versioned" };
export const remove: OperationInput = { type: "delete" };

export function put(
  value: string,
  ttlMs: number | null = null,
  condition: "always" | "if-absent" | "if-present" = "always",
): OperationInput {
  return { type: "put", value, ttlMs, condition };
}

export function cas(expectedVersion: number, value: string): OperationInput {
  return { type: "cas", expectedVersion, value };
}

export function increment(by = 1): OperationInput {
  return { type: "increment", by };
}

export function evict(version: number): OperationInput {
  return { type: "evict", version };
}

export function expire(ttlMs: number): OperationInput {
  return { type: "expire", ttlMs };
}

export interface RegisterWorkload {
  readonly operations: number;
  readonly clients: number;
  /** Of 100 operations, how many get no answer; half of those take effect, some much later. */
  readonly ambiguousPercent: number;
  /** Longest time an operation is in flight. */
  readonly latencyMsMax: number;
  /** What a client asks; `lastVersion` is one that it saw or 0. */
  readonly choose: (random: Random, sequence: number, lastVersion: number) => OperationInput;
  readonly toleranceMs?: number;
}

interface Pending {
  readonly operation: Operation;
  readonly atMs: number;
  readonly index: number;
}

/** What clients see of one register that applies each operation at a random moment while it is in flight. */
export function registerHistory(random: Random, workload: RegisterWorkload): Operation[] {
  const operations: Operation[] = [];
  const pending: Pending[] = [];
  const refused = new Set<number>();
  const lastVersions = new Map<number, number>();
  const freeAtMs = Array.from({ length: workload.clients }, () => random.nextBelow(10));
  const register = new Register(random, workload.toleranceMs ?? 0);
  const applyUntil = (untilMs: number): void => {
    pending.sort((left, right) => left.atMs - right.atMs);
    while (pending[0] !== undefined && pending[0].atMs <= untilMs) {
      const { operation, atMs, index } = pending.shift() as Pending;
      const result = register.apply(operation, atMs);
      if (result === undefined) {
        refused.add(operation.id);
        continue;
      }
      const version = typeof result === "object" ? (result?.version ?? 0) : result;
      if (typeof version === "number" && operation.input.type !== "increment") {
        lastVersions.set(Number(operation.client.slice(1)), version);
      }
      if (operation.returned === null) continue;
      operations[index] = { ...operation, returned: { ...operation.returned, result } };
    }
  };
  for (let sequence = 0; sequence < workload.operations; sequence++) {
    const client = freeAtMs.indexOf(Math.min(...freeAtMs));
    const invokedAtMs = freeAtMs[client] as number;
    applyUntil(invokedAtMs - 1);
    const latencyMs = random.nextBetween(0, workload.latencyMsMax);
    const ambiguous = random.nextBelow(100) < workload.ambiguousPercent;
    const operation: Operation = {
      id: sequence + 1,
      client: `c${client}`,
      node: `n${client % 3}`,
      key: "k",
      input: workload.choose(random, sequence, lastVersions.get(client) ?? 0),
      invokedAtMs,
      returned: ambiguous ? null : { atMs: invokedAtMs + latencyMs, result: null },
    };
    const late = ambiguous && random.nextBelow(4) === 0 ? workload.latencyMsMax * 20 : 0;
    const atMs = invokedAtMs + random.nextBetween(0, latencyMs + late);
    operations.push(operation);
    if (!ambiguous || random.nextBelow(2) === 0) pending.push({ operation, atMs, index: sequence });
    freeAtMs[client] = invokedAtMs + latencyMs + random.nextBelow(5);
  }
  applyUntil(Number.POSITIVE_INFINITY);
  return operations.filter((each) => !refused.has(each.id));
}

/** A key that lives up to its promises and uses the room they leave: versions skip, keys expire late. */
class Register {
  readonly #random: Random;
  readonly #toleranceMs: number;
  #cell: { value: string; version: number; goneAtMs: number } | null = null;
  #revision = 0;

  constructor(random: Random, toleranceMs: number) {
    this.#random = random;
    this.#toleranceMs = toleranceMs;
  }

  /** Undefined: it fails for certain. */
  apply({ input, invokedAtMs }: Operation, atMs: number): OperationResult | undefined {
    if (this.#cell !== null && this.#cell.goneAtMs <= atMs) this.#remove();
    const cell = this.#cell;
    const goneAtMs = (ttlMs: number): number =>
      invokedAtMs + ttlMs + this.#random.nextBetween(-this.#toleranceMs, this.#random.nextBelow(2) * 30);
    switch (input.type) {
      case "get":
        return cell?.value ?? null;
      case "get-versioned":
        return cell === null ? null : { value: cell.value, version: cell.version };
      case "put":
        if (input.condition === (cell === null ? "if-present" : "if-absent")) return null;
        return this.#write(
          input.value,
          input.ttlMs === null ? Number.POSITIVE_INFINITY : goneAtMs(input.ttlMs),
        );
      case "cas":
        if ((cell?.version ?? 0) !== input.expectedVersion) return null;
        return this.#write(input.value, cell?.goneAtMs ?? Number.POSITIVE_INFINITY);
      case "delete":
        if (cell === null) return false;
        this.#remove();
        return true;
      case "increment": {
        const sum = Number(cell?.value ?? 0) + input.by;
        if (!Number.isSafeInteger(sum)) return undefined;
        this.#write(String(sum), cell?.goneAtMs ?? Number.POSITIVE_INFINITY);
        return sum;
      }
      case "expire":
        if (cell === null) return false;
        if (input.ttlMs <= 0) this.#remove();
        else cell.goneAtMs = goneAtMs(input.ttlMs);
        return true;
      case "evict":
        // A leader's removal that finds another version is none, and nobody hears of it.
        if (cell?.version !== input.version) return undefined;
        this.#remove();
        return this.#revision;
    }
  }

  #write(value: string, goneAtMs: number): number {
    this.#revision += this.#random.nextBetween(1, 2);
    this.#cell = { value, version: this.#revision, goneAtMs };
    return this.#revision;
  }

  #remove(): void {
    this.#revision++;
    this.#cell = null;
  }
}
