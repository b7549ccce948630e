/**
 * `crema health`: what container engines, orchestrators and people in the middle of a rolling restart ask of one node.
 * The exit code is the answer, so that it can stand in a health check or a hook as it is.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CommandFailed } from "../command-failed.ts";
import { parseDurationMs } from "../duration.ts";
import { UsageError } from "../usage-error.ts";
import { NodeUnreachable } from "./answer-refused.ts";
import type { ClusterHttp } from "./cluster-http.ts";
import type { CommandArguments, OperatorCommand } from "./command.ts";

const TIMEOUT_MS = 5_000;
const ASK_AGAIN_MS = 500;

export const healthCommand: OperatorCommand = {
  name: "health",
  usage: "",
  meaning: "0 when the node at --http can serve, else 1 and the reason; for health checks and hooks",
  flags: [
    {
      name: "safe-to-stop",
      meaning: "ask whether it may be stopped with nothing at risk instead",
      placeholder: null,
    },
    {
      name: "wait",
      meaning: "ask again until it is so, but no longer [default: 0]",
      placeholder: "duration",
    },
    { name: "timeout", meaning: "how long one answer may take [default: 5s]", placeholder: "duration" },
  ],
  examples: [
    ["$0 health", "a container's health check"],
    ["$0 health --safe-to-stop --wait 10m", "before the next machine of a rolling restart"],
  ],
  async run(given, { cluster, stdout }) {
    const timeoutMs = durationOf(given, "timeout") ?? TIMEOUT_MS;
    if (timeoutMs === 0) throw new UsageError("--timeout 0: an answer takes some time");
    const deadlineMs = performance.now() + (durationOf(given, "wait") ?? 0);
    const toStop = given.flags["safe-to-stop"] !== undefined;
    for (;;) {
      const reason = await obstacle(cluster, toStop, timeoutMs);
      if (reason === null) {
        stdout.write(toStop ? "safe to stop\n" : "ready\n");
        return 0;
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new CommandFailed(`${toStop ? "not safe to stop" : "not ready"}: ${reason}`);
      await delay(Math.min(ASK_AGAIN_MS, leftMs));
    }
  },
};

/** Why the answer is no; null when it is yes. A node that cannot be asked is no reason to stop waiting. */
async function obstacle(cluster: ClusterHttp, toStop: boolean, timeoutMs: number): Promise<string | null> {
  try {
    return await (toStop ? cluster.unsafeToStopReason(timeoutMs) : cluster.notReadyReason(timeoutMs));
  } catch (error) {
    if (error instanceof NodeUnreachable) return error.message;
    throw error;
  }
}

function durationOf({ flags }: CommandArguments, name: string): number | null {
  const text = flags[name];
  if (text === undefined) return null;
  const valueMs = parseDurationMs(text);
  if (valueMs === null)
    throw new UsageError(`--${name}: '${text}' is not a duration, like 250ms, 25s or 10m`);
  return valueMs;
}
