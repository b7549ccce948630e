/** A single command in the Redis protocol, on a connection of its own. */
import { connect } from "node:net";
import { request } from "./resp-batches.ts";

/** All that the server says until it hangs up, as it is on the wire. Rejects when it is silent for `timeoutMs`. */
export async function askOnce(
  port: number,
  timeoutMs: number,
  ...command: readonly string[]
): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, timeout: timeoutMs });
  socket.on("timeout", () => socket.destroy(new Error(`port ${port} is silent`)));
  socket.write(request(...command) + request("QUIT"));
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}
