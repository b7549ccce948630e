import { expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test.each(["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC", "FLUSHDB sync"])(
  "%s removes every key of every shard",
  async (request) => {
    for (let n = 0; n < 25; n++) await use.ask(`SET k${n} v`);
    expect(await use.ask(request)).toEqual(OK);
    expect(await use.ask("DBSIZE")).toBe(0);
  },
);

test("FLUSHALL that one shard did not take says so", async () => {
  use.door.failWith((_, shard) => (shard === 2 ? clusterError("CREMA_NO_QUORUM") : null));
  expect(await use.ask("FLUSHALL")).toEqual(
    refusal(
      "TIMEOUT crema_no_quorum for a test; other shards of this request answered (ambiguous: the write may have been applied)",
    ),
  );
});
