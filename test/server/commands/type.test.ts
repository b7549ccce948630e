import { expect, test } from "vitest";
import { Status } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("TYPE is string for a key and none for an absent one", async () => {
  await use.ask("SET k v");
  expect(await use.ask("TYPE k")).toEqual(new Status("string"));
  expect(await use.ask("TYPE absent")).toEqual(new Status("none"));
});
