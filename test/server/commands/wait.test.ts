import { describe, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

describe.each([
  [1, 0],
  [2, 1],
  [3, 1],
  [4, 2],
  [5, 2],
])("WAIT with %d voters", (voters, others) => {
  const use = useDoor({ voters });

  test(`answers that ${others} others surely hold what was acknowledged`, async () => {
    expect(await use.ask("WAIT 0 0")).toBe(others);
    expect(await use.ask("WAIT 100 1")).toBe(others);
  });
});

describe("WAIT", () => {
  const use = useDoor({ answers: "at-once" });

  test("waits for the writes before it", async () => {
    use.door.answers = "held";
    const client = await use.connect();
    client.write("SET k v\r\nWAIT 1 0\r\n");
    await expect.poll(() => use.door.waiting).toBe(1);
    use.door.answers = "at-once";
    use.door.release();
    expect(await client.reply()).toEqual(OK);
    expect(await client.reply()).toBe(1);
  });
});

describe("WAIT on a node that does not know the cluster", () => {
  const use = useDoor();

  test("says so", async () => {
    use.admin.failure = clusterError("CREMA_NOT_READY");
    expect(await use.ask("WAIT 1 0")).toEqual(refusal("CLUSTERDOWN crema_not_ready for a test"));
    use.admin.failure = null;
  });
});
