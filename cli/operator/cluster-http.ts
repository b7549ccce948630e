/**
 * What the operator's commands ask a node over HTTP. Any node answers for the whole cluster.
 */
import type { ClusterStatus, NodeEvent } from "../../src/index.ts";
import { CommandFailed } from "../command-failed.ts";

export class ClusterHttp {
  readonly address: string;
  readonly #base: string;

  /** `address` is `host:port` of any node's HTTP door. */
  constructor(address: string) {
    this.address = address;
    this.#base = `http://${address}`;
  }

  async status(timeoutMs = 5_000): Promise<ClusterStatus> {
    const response = await this.#request("GET", "/status", undefined, timeoutMs);
    await refuseFailure(response);
    const status: ClusterStatus = JSON.parse(await response.text());
    return status;
  }

  /** The value's bytes; null when there is no such key. */
  async get(key: string, consistency: "linearizable" | "local"): Promise<Uint8Array | null> {
    const query = consistency === "local" ? "?consistency=local" : "";
    const response = await this.#request("GET", `${keyPath(key)}${query}`);
    if (await isMissingKey(response)) return null;
    await refuseFailure(response);
    return new Uint8Array(await response.arrayBuffer());
  }

  async set(key: string, value: Uint8Array | string, ttlMs: number | null): Promise<void> {
    const query = ttlMs === null ? "" : `?ttlMs=${ttlMs}`;
    await refuseFailure(await this.#request("PUT", `${keyPath(key)}${query}`, value));
  }

  /** Whether the key existed. */
  async delete(key: string): Promise<boolean> {
    const response = await this.#request("DELETE", keyPath(key));
    if (await isMissingKey(response)) return false;
    await refuseFailure(response);
    return true;
  }

  async join(seeds: readonly string[]): Promise<void> {
    await refuseFailure(await this.#request("POST", "/admin/join", JSON.stringify({ seeds }), 60_000));
  }

  /** Drains `nodeId`, or the node that answers when null. Returns once the cluster no longer counts on it. */
  async leave(nodeId: string | null): Promise<void> {
    const body = JSON.stringify(nodeId === null ? {} : { nodeId });
    await refuseFailure(await this.#request("POST", "/admin/leave", body, 120_000));
  }

  /** Events from now on, until the node closes or `signal` aborts. */
  async *events(signal?: AbortSignal): AsyncGenerator<NodeEvent> {
    const response = await this.#request("GET", "/events", undefined, null, signal);
    await refuseFailure(response);
    if (response.body === null) return;
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event: NodeEvent | { readonly type: "heartbeat" } | null =
          line === "" ? null : JSON.parse(line);
        if (event !== null && "type" in event && event.type !== "heartbeat") yield event;
      }
    }
  }

  async #request(
    method: "GET" | "PUT" | "DELETE" | "POST",
    path: string,
    body?: Uint8Array | string,
    timeoutMs: number | null = 30_000,
    signal?: AbortSignal,
  ): Promise<Response> {
    const signals = [signal, timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs)];
    const contentType = path.startsWith("/admin") ? "application/json" : "application/octet-stream";
    try {
      return await fetch(this.#base + path, {
        method,
        signal: AbortSignal.any(signals.filter((each) => each !== undefined)),
        ...(body === undefined ? {} : { body, headers: { "content-type": contentType } }),
      });
    } catch (error) {
      throw new CommandFailed(this.#unanswered(error), { cause: error });
    }
  }

  #unanswered(error: unknown): string {
    if (error instanceof Error && error.name === "TimeoutError")
      return `${this.address} did not answer in time`;
    const cause = error instanceof Error ? error.cause : undefined;
    const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    return (
      `nobody answers at http://${this.address}${reason}\n` +
      `Start a node with 'crema-node', or name the HTTP address of a running one: --http host:port or CREMA_HTTP.`
    );
  }
}

function keyPath(key: string): string {
  return `/kv/${encodeURIComponent(key)}`;
}

/** The node knows the request and has no such key; any other 404 comes from something that is not a crema node. */
async function isMissingKey(response: Response): Promise<boolean> {
  return response.status === 404 && (await response.clone().text()).includes('"KEY_NOT_FOUND"');
}

async function refuseFailure(response: Response): Promise<void> {
  if (response.ok) return;
  const text = await response.text();
  throw new CommandFailed(
    failureText(text) ?? `HTTP ${response.status} ${response.statusText}: ${text.slice(0, 200)}`,
  );
}

/** Errors come as JSON: a message, a code, and whether the write may have happened. */
function failureText(text: string): string | null {
  try {
    const failure: unknown = JSON.parse(text);
    if (typeof failure !== "object" || failure === null || !("message" in failure)) return null;
    const code = "code" in failure ? ` [${String(failure.code)}]` : "";
    const ambiguous = "ambiguous" in failure && failure.ambiguous === true;
    return `${String(failure.message)}${code}${ambiguous ? "\nThe write may or may not have been applied." : ""}`;
  } catch {
    return null;
  }
}
