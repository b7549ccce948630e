import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("ECHO answers its argument", async () => {
  expect(await use.ask("ECHO x\r\ny")).toBe("x\r\ny");
});
