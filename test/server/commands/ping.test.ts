import { expect, test } from "vitest";
import { Status } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("PING answers PONG, or what it was given", async () => {
  expect(await use.ask("PING")).toEqual(new Status("PONG"));
  expect(await use.ask("ping x")).toBe("x");
});
