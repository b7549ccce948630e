/** READONLY and READWRITE: whether the reads of this connection may be answered by a local, possibly stale replica. */
import { keylessSpec } from "../command-spec.ts";

const CONNECTION_SWITCH = {
  arity: 1,
  flags: ["loading", "stale", "fast"],
  family: "connection",
  order: "free",
  group: "connection",
} as const;

export const READONLY = keylessSpec({
  ...CONNECTION_SWITCH,
  name: "readonly",
  summary: "Enables read-only queries for a connection to a replica node.",
  run(request) {
    request.client.consistency = "local";
    request.ok();
  },
});

export const READWRITE = keylessSpec({
  ...CONNECTION_SWITCH,
  name: "readwrite",
  summary: "Enables read-write queries for a connection to a replica node.",
  run(request) {
    request.client.consistency = "linearizable";
    request.ok();
  },
});
