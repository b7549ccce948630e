import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { forEachKey } from "../../src/server/command-spec.ts";
import { COMMAND_SPECS, CommandTable } from "../../src/server/command-table.ts";

const table = new CommandTable();

describe("the command table", () => {
  test("finds every command in any case, at its index", () => {
    for (const [index, spec] of COMMAND_SPECS.entries()) {
      const mixed = spec.name.charAt(0).toUpperCase() + spec.name.slice(1);
      for (const name of [spec.name, spec.name.toUpperCase(), mixed]) {
        expect(table.find(name), name).toEqual({ spec, index, writes: spec.flags.includes("write") });
      }
    }
  });

  test("finds nothing else", () => {
    for (const name of ["", "nosuch", "get ", "__proto__", "constructor", "GE\0T"])
      expect(table.find(name)).toBeUndefined();
  });

  test("is sorted and names each command once", () => {
    const names = COMMAND_SPECS.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
  });

  test.each(COMMAND_SPECS.map((spec) => [spec.name, spec] as const))(
    "%s is described without contradiction",
    (_, spec) => {
      expect(spec.flags.includes("write") && spec.flags.includes("readonly")).toBe(false);
      if (spec.firstKey === 0) {
        expect([spec.lastKey, spec.keyStep]).toEqual([0, 0]);
        expect(spec.order).not.toBe("keys");
      } else {
        expect(spec.order).toBe("keys");
        expect(spec.keyStep).toBeGreaterThan(0);
        expect(spec.firstKey).toBeLessThan(Math.abs(spec.arity));
        expect(spec.flags.includes("write") || spec.flags.includes("readonly")).toBe(true);
      }
    },
  );
});

test("keys are found where the spec says", () => {
  const keysOf = (...args: string[]) => {
    const keys: string[] = [];
    const spec = table.find(args[0] as string)?.spec;
    if (spec !== undefined) forEachKey(spec, args, (key) => keys.push(key));
    return keys;
  };
  expect(keysOf("get", "a")).toEqual(["a"]);
  expect(keysOf("set", "a", "v", "ex", "1")).toEqual(["a"]);
  expect(keysOf("mset", "a", "1", "b", "2")).toEqual(["a", "b"]);
  expect(keysOf("del", "a", "b", "c")).toEqual(["a", "b", "c"]);
  expect(keysOf("rename", "a", "b")).toEqual(["a", "b"]);
  expect(keysOf("ping", "a")).toEqual([]);
});

describe("docs/redis-commands.md", () => {
  const text = readFileSync(new URL("../../docs/redis-commands.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `([A-Z]+)` \|(.*)\|(.*)\|$/gm)];

  test("lists exactly the commands of the table, in order", () => {
    expect(rows.map(([, name = ""]) => name.toLowerCase())).toEqual(COMMAND_SPECS.map(({ name }) => name));
  });

  test("says of each which options it takes", () => {
    for (const [row, , options = ""] of rows) expect(options.trim(), row).not.toBe("");
  });
});
