import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("QUIT answers everything before it, then OK, then closes; what follows is not looked at", async () => {
  const client = await use.connect();
  client.write("SET k v\r\nQUIT\r\nSET k w\r\n");
  expect(await client.untilClosed()).toBe("+OK\r\n+OK\r\n");
  expect(await use.ask("GET k")).toBe("v");
});
