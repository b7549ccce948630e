/**
 * WAIT: how many other replicas surely hold the writes of this connection. Every acknowledged write is on a majority
 * of its shard's voters, so there is nothing to wait for but the acknowledgements themselves.
 */
import { CremaError } from "../../base/errors.ts";
import { keylessSpec } from "../command-spec.ts";
import { NOT_AN_INTEGER } from "../error-text.ts";
import { parseInteger } from "../number-arguments.ts";
import { integerForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import type { ClusterStatus } from "../vocabulary.ts";

export const WAIT = keylessSpec({
  name: "wait",
  arity: 3,
  flags: ["noscript"],
  family: "connection",
  order: "alone",
  group: "generic",
  summary:
    "Blocks until the asynchronous replication of all preceding write commands sent by the connection is completed.",
  run(request) {
    const replicas = parseInteger(request.arg(1));
    const timeoutMs = parseInteger(request.arg(2));
    if (replicas === null) {
      request.refuse(NOT_AN_INTEGER);
    } else if (timeoutMs === null) {
      request.refuse("ERR timeout is not an integer or out of range");
    } else if (timeoutMs < 0) {
      request.refuse("ERR timeout is negative");
    } else {
      void answerWhenKnown(request);
    }
  },
});

async function answerWhenKnown(request: Request): Promise<void> {
  try {
    const status = await request.client.services.admin.clusterStatus();
    request.answer(integerForm, replicasBesidesLeader(status));
  } catch (error) {
    request.fail(
      error instanceof CremaError
        ? error
        : new CremaError("CREMA_INTERNAL", "the cluster's status is not known", { cause: error }),
    );
  }
}

/** The size of the smallest majority of any shard, without its leader. */
function replicasBesidesLeader(status: ClusterStatus): number {
  const voters = status.shards.map((shard) => shard.voters.length);
  return voters.length === 0 ? 0 : Math.floor(Math.min(...voters) / 2);
}
