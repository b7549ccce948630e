import { describe, expect, test } from "vitest";
import { COMMAND_SPECS } from "../../../src/server/command-table.ts";
import { Status, type Value } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

describe("COMMAND", () => {
  test("COUNT, LIST and the plain form agree with the table", async () => {
    expect(await use.ask("COMMAND COUNT")).toBe(COMMAND_SPECS.length);
    expect(await use.ask("COMMAND LIST")).toEqual(COMMAND_SPECS.map(({ name }) => name));
    expect(((await use.ask("COMMAND")) as Value[]).length).toBe(COMMAND_SPECS.length);
  });

  test("INFO tells arity, flags and keys, and null for what is unknown", async () => {
    const flags = [new Status("readonly"), new Status("fast")];
    expect(await use.ask("COMMAND INFO GET nosuch mset")).toEqual([
      ["get", 2, flags, 1, 1, 1, [], [], [], []],
      null,
      ["mset", -3, [new Status("write"), new Status("denyoom")], 1, -1, 2, [], [], [], []],
    ]);
  });

  test("DOCS has a summary of every command", async () => {
    await use.ask("HELLO 3");
    const docs = (await use.ask("COMMAND DOCS")) as Map<string, Map<string, string>>;
    expect([...docs.keys()]).toEqual(COMMAND_SPECS.map(({ name }) => name));
    for (const [name, doc] of docs) expect(doc.get("summary")?.length, name).toBeGreaterThan(10);
    expect([...((await use.ask("COMMAND DOCS get nosuch")) as Map<string, unknown>).keys()]).toEqual(["get"]);
  });

  test.each([
    ["GET a", ["a"]],
    ["MSET a 1 b 2", ["a", "b"]],
    ["del a b c", ["a", "b", "c"]],
    ["RENAME a b", ["a", "b"]],
  ])("GETKEYS of %s", async (request, keys) => {
    expect(await use.ask(`COMMAND GETKEYS ${request}`)).toEqual(keys);
  });
});
