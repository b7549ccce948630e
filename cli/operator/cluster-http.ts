/**
 * What the operator's commands ask a node over HTTP. Any node answers for the whole cluster.
 */
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ClusterId, ClusterStatus, NodeEvent, RebalanceStatus, RecoveryPlan } from "../../src/index.ts";
import { CommandFailed } from "../command-failed.ts";
import { AnswerRefused, NodeUnreachable } from "./answer-refused.ts";
import { exchange, type HttpAnswer, type HttpRequest, HttpTimeout, stream } from "./http-exchange.ts";

const STATUS_TIMEOUT_MS = 5_000;
const KEY_TIMEOUT_MS = 30_000;
/** A block is tried by the node for half a minute; a section begins behind a read barrier, or after looking for a leader. */
const BACKUP_TIMEOUT_MS = 45_000;
/** Joining and leaving end when the cluster has agreed and data has moved. */
const MEMBERSHIP_TIMEOUT_MS = 120_000;

/** How long a running stream may send nothing. */
const STALL_MS = 30_000;

/** Keys, and bytes of keys and values, of a whole cluster. */
export interface ClusterContents {
  readonly clusterId: ClusterId | null;
  readonly shardCount: number;
  readonly keys: number;
  readonly bytes: number;
}

/** Where a block goes, and how. */
export interface PutBackTarget {
  readonly clusterId: string;
  readonly existing: "skip" | "overwrite";
  /** How much of the times to live has passed. */
  readonly elapsedMs: number;
}

/** What became of the entries of one block. */
export interface PutBackAnswer {
  readonly written: number;
  readonly skipped: number;
  readonly expired: number;
}

export class ClusterHttp {
  readonly address: string;

  /** `address` is `host:port` of any node's HTTP door. */
  constructor(address: string) {
    this.address = address;
  }

  async status(timeoutMs = STATUS_TIMEOUT_MS): Promise<ClusterStatus> {
    const answer = await this.#exchange({ method: "GET", path: "/status", timeoutMs });
    const status: ClusterStatus = JSON.parse(accepted(answer).toString());
    return status;
  }

  /** null when the node can serve. */
  notReadyReason(timeoutMs: number): Promise<string | null> {
    return this.#reason("/readyz", 503, timeoutMs);
  }

  /** null when the node may be stopped with nothing at risk. */
  unsafeToStopReason(timeoutMs: number): Promise<string | null> {
    return this.#reason("/safe-to-stop", 409, timeoutMs);
  }

  /** The value's bytes; null when there is no such key. */
  async get(key: string, consistency: "linearizable" | "local"): Promise<Uint8Array | null> {
    const path = keyPath(key, consistency === "local" ? "?consistency=local" : "");
    const answer = await this.#exchange({ method: "GET", path, timeoutMs: KEY_TIMEOUT_MS });
    return isMissingKey(answer) ? null : accepted(answer);
  }

  async set(key: string, value: Uint8Array | string, ttlMs: number | null): Promise<void> {
    const path = keyPath(key, ttlMs === null ? "" : `?ttlMs=${ttlMs}`);
    const contentType = "application/octet-stream";
    accepted(
      await this.#exchange({ method: "PUT", path, body: value, contentType, timeoutMs: KEY_TIMEOUT_MS }),
    );
  }

  /** Whether the key existed. */
  async delete(key: string): Promise<boolean> {
    const answer = await this.#exchange({ method: "DELETE", path: keyPath(key), timeoutMs: KEY_TIMEOUT_MS });
    if (isMissingKey(answer)) return false;
    accepted(answer);
    return true;
  }

  async join(seeds: readonly string[]): Promise<void> {
    await this.#order("/admin/join", { seeds });
  }

  /**
   * Drains `nodeId`, or the node that answers when null. Returns once the cluster no longer counts on it; for the node that answers, once
   * the cluster knows that it leaves.
   */
  async leave(nodeId: string | null): Promise<void> {
    await this.#order("/admin/leave", nodeId === null ? {} : { nodeId });
  }

  /** What {@link recover} would do. */
  async recoveryPlan(): Promise<RecoveryPlan> {
    const timeoutMs = MEMBERSHIP_TIMEOUT_MS;
    const answer = await this.#exchange({ method: "GET", path: "/admin/recover", timeoutMs });
    const plan: RecoveryPlan = JSON.parse(accepted(answer).toString());
    return plan;
  }

  /** Gives up the members in `lost`, and lets every group without a majority go on with what is left. */
  async recover(lost: readonly string[]): Promise<RecoveryPlan> {
    const plan: RecoveryPlan = JSON.parse((await this.#order("/admin/recover", { lost })).toString());
    return plan;
  }

  /** Events from now on, until the node closes. */
  async *events(): AsyncGenerator<NodeEvent> {
    const response = await this.#answered(
      stream({ address: this.address, method: "GET", path: "/events", timeoutMs: STATUS_TIMEOUT_MS }),
    );
    if (response.statusCode !== 200) {
      accepted({ status: response.statusCode ?? 0, body: await buffer(response) });
    }
    for await (const line of this.#lines(response)) {
      const event: NodeEvent | { readonly type: "heartbeat" } = JSON.parse(line);
      if (event.type !== "heartbeat") yield event;
    }
  }

  async rebalanceStatus(): Promise<RebalanceStatus> {
    const answer = await this.#exchange({ method: "GET", path: "/rebalance", timeoutMs: STATUS_TIMEOUT_MS });
    const status: RebalanceStatus = JSON.parse(accepted(answer).toString());
    return status;
  }

  /** Pauses or resumes; returns once the cluster has committed it. */
  async pauseRebalancing(paused: boolean): Promise<void> {
    await this.#order(`/rebalance/${paused ? "pause" : "resume"}`, {});
  }

  /** What the cluster holds. */
  async contents(): Promise<ClusterContents> {
    const answer = await this.#exchange({ method: "GET", path: "/backup", timeoutMs: BACKUP_TIMEOUT_MS });
    const contents: ClusterContents = JSON.parse(accepted(answer).toString());
    return contents;
  }

  /** The section of `shard`, as it comes. Breaking off ends it at the node too. */
  async *backupShard(shard: number): AsyncGenerator<Uint8Array> {
    const path = `/backup/shards/${shard}`;
    const response = await this.#answered(
      stream({ address: this.address, method: "GET", path, timeoutMs: BACKUP_TIMEOUT_MS }),
    );
    if (response.statusCode !== 200) {
      accepted({ status: response.statusCode ?? 0, body: await buffer(response) });
    }
    try {
      for await (const chunk of withinStall(response)) yield chunk;
    } catch (error) {
      throw new NodeUnreachable(`${this.address} hung up in the middle of shard ${shard}`, { cause: error });
    } finally {
      response.destroy();
    }
  }

  /** Puts the entries of one block back, unless the node belongs to another cluster than `target` says. */
  async putBack(block: Uint8Array, target: PutBackTarget): Promise<PutBackAnswer> {
    const { clusterId, existing, elapsedMs } = target;
    const path = `/backup/entries?cluster=${clusterId}&existing=${existing}&elapsedMs=${elapsedMs}`;
    const contentType = "application/octet-stream";
    const timeoutMs = BACKUP_TIMEOUT_MS;
    const answer = await this.#exchange({ method: "POST", path, body: block, contentType, timeoutMs });
    const result: PutBackAnswer = JSON.parse(accepted(answer).toString());
    return result;
  }

  /** The reason in an answer of status `no`; null for a good one. */
  async #reason(path: string, no: number, timeoutMs: number): Promise<string | null> {
    const answer = await this.#exchange({ method: "GET", path, timeoutMs });
    const text = answer.body.toString();
    if (answer.status !== no || !text.includes('"reason"')) {
      accepted(answer);
      return null;
    }
    const { reason }: { readonly reason: string } = JSON.parse(text);
    return reason;
  }

  async *#lines(response: IncomingMessage): AsyncGenerator<string> {
    let rest = "";
    response.setEncoding("utf8");
    try {
      for await (const chunk of response) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield line;
      }
    } catch (error) {
      throw new CommandFailed(`${this.address} hung up`, { cause: error });
    }
  }

  async #order(path: string, order: object): Promise<Buffer> {
    const body = JSON.stringify(order);
    const contentType = "application/json";
    return accepted(
      await this.#exchange({ method: "POST", path, body, contentType, timeoutMs: MEMBERSHIP_TIMEOUT_MS }),
    );
  }

  #exchange(given: Omit<HttpRequest, "address">): Promise<HttpAnswer> {
    return this.#answered(exchange({ ...given, address: this.address }));
  }

  async #answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw new NodeUnreachable(this.#unanswered(error), { cause: error });
    }
  }

  #unanswered(error: unknown): string {
    if (error instanceof HttpTimeout) return `${this.address} did not answer in time`;
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return (
      `nobody answers at http://${this.address}${code}\n` +
      `Start a node with 'crema-node', or name the HTTP address of a running one: --http host:port or CREMA_HTTP.`
    );
  }
}

function keyPath(key: string, query = ""): string {
  return `/kv/${encodeURIComponent(key)}${query}`;
}

/** The body of a good answer; throws the words of any other. */
function accepted({ status, body }: HttpAnswer): Buffer {
  if (status >= 200 && status < 300) return body;
  throw refusalOf(status, body.toString());
}

/** The node knows the request and has no such key; any other 404 comes from something that is not a crema node. */
function isMissingKey({ status, body }: HttpAnswer): boolean {
  return status === 404 && body.includes('"KEY_NOT_FOUND"');
}

/** Errors come as JSON: a message, a code, and whether the write may have happened. */
function refusalOf(status: number, text: string): AnswerRefused {
  const failure = failureIn(text);
  if (failure === null) return new AnswerRefused(`HTTP ${status}: ${text.slice(0, 200)}`, { status });
  const code = "code" in failure ? String(failure.code) : undefined;
  const ambiguous = "ambiguous" in failure && failure.ambiguous === true;
  const retryable = "retryable" in failure && failure.retryable === true;
  const shown = code === undefined ? "" : ` [${code}]`;
  const doubt = ambiguous ? "\nThe write may or may not have been applied." : "";
  return new AnswerRefused(`${String(failure.message)}${shown}${doubt}`, {
    status,
    retryable: retryable || ambiguous,
    ...(code === undefined ? {} : { code }),
  });
}

/** null: it was not a crema node that answered. */
function failureIn(text: string): { readonly message: unknown } | null {
  let failure: unknown;
  try {
    failure = JSON.parse(text);
  } catch {
    return null;
  }
  return typeof failure === "object" && failure !== null && "message" in failure ? failure : null;
}

/** The chunks of `response`; a node that sends nothing for long is taken for gone. */
async function* withinStall(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => response.destroy(new Error("nothing came for too long")), STALL_MS);
  try {
    for await (const chunk of response) {
      yield chunk;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
}
