/**
 * A single call of etcd, slowly but in full: for finding out whether it is up, and why a call failed.
 */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:http2";

/** Resolves when etcd answered with status OK. Rejects with its words otherwise. `message` has gRPC's prefix. */
export async function callEtcd(
  port: number,
  path: string,
  message: Buffer,
  timeoutMs: number,
): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const failed = once(session, "error").then(([error]) => Promise.reject(error));
    await Promise.race([failed, callOver(session, path, message, timeoutMs)]);
  } finally {
    session.destroy();
  }
}

/** Repeats a call that failed and rejects with the reason. */
export async function explainFailure(port: number, path: string, message: Buffer): Promise<never> {
  await callEtcd(port, path, message, 5_000);
  throw new Error(`etcd refused ${path} once, and took it when it was repeated`);
}

async function callOver(
  session: ReturnType<typeof connect>,
  path: string,
  message: Buffer,
  timeoutMs: number,
): Promise<void> {
  const stream = session.request(
    { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" },
    { signal: AbortSignal.timeout(timeoutMs) },
  );
  let status: unknown;
  let words: unknown;
  const note = (headers: Readonly<Record<string, unknown>>) => {
    status = headers["grpc-status"] ?? status;
    words = headers["grpc-message"] ?? words;
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.resume();
  stream.end(message);
  await once(stream, "close");
  if (status !== "0") throw new Error(`etcd: ${words ?? "no answer"} (gRPC status ${status ?? "none"})`);
}
