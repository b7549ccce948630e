import { expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("SELECT knows database 0 and no other", async () => {
  expect(await use.ask("SELECT 0")).toEqual(OK);
  expect(await use.ask("SELECT 1")).toEqual(refusal("ERR DB index is out of range"));
});
