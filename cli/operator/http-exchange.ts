/**
 * One HTTP request to a node and its answer, on Node's own client: `fetch` refuses a good many port numbers.
 */
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";

export interface HttpRequest {
  /** `host:port`. */
  readonly address: string;
  readonly method: "GET" | "PUT" | "DELETE" | "POST";
  /** Percent-encoded. */
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
  /** For the whole exchange when it is read in one piece, for its first line when it is streamed. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Nothing came back within the time given. */
export class HttpTimeout extends Error {
  override readonly name = "HttpTimeout";
}

/** Sends `given` and reads the whole answer. Rejects with the connection's error or {@link HttpTimeout}. */
export async function exchange(given: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(given.timeoutMs);
  try {
    const response = await openExchange(given, signal);
    return { status: response.statusCode ?? 0, body: await buffer(response) };
  } catch (error) {
    throw signal.aborted ? new HttpTimeout(`no answer within ${given.timeoutMs} ms`) : error;
  }
}

/** Sends `given` and hands over the answer as it comes. */
export async function stream(given: HttpRequest): Promise<IncomingMessage> {
  const opening = new AbortController();
  const timer = setTimeout(() => opening.abort(), given.timeoutMs);
  try {
    return await openExchange(given, opening.signal);
  } catch (error) {
    throw opening.signal.aborted ? new HttpTimeout(`no answer within ${given.timeoutMs} ms`) : error;
  } finally {
    clearTimeout(timer);
  }
}

function openExchange(given: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = given.body ?? "";
    const outgoing = request(`http://${given.address}${given.path}`, {
      method: given.method,
      signal,
      agent: false,
      headers: {
        "content-length": Buffer.byteLength(body),
        ...(given.contentType === undefined ? {} : { "content-type": given.contentType }),
      },
    });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
