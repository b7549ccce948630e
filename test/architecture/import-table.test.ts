/**
 * The house stands as drawn: no room imports what the table does not list.
 */
import { describe, expect, it } from "vitest";
import { IMPORT_TABLE, violations } from "./import-table.ts";
import { importedModules, readSource, sourceFiles } from "./imports.ts";

describe("import table", () => {
  it("is kept by every file of src, cli and examples", () => {
    const files = ["src", "cli", "examples"].flatMap(sourceFiles);
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => violations(file, readSource(file)))).toEqual([]);
  });

  it.each([
    ["src/raft/log.ts", `import { a } from "../swim/swim.ts";`, "'raft' must not import 'src/swim/swim.ts'"],
    [
      "src/raft/log.ts",
      `import type { A } from "../host/ports.ts";`,
      "'raft' must not import 'src/host/ports.ts'",
    ],
    ["src/base/ids.ts", `import "node:crypto";`, "'base' must not import 'node:crypto'"],
    ["src/wire/frame.ts", `import { x } from "node:fs";`, "'wire' must not import 'node:fs'"],
    [
      "src/host/gossip.ts",
      `export * from "../net/streams.ts";`,
      "'host' must not import 'src/net/streams.ts'",
    ],
    ["src/node/router.ts", `const n = await import("node:net");`, "'node' must not import 'node:net'"],
    [
      "src/net/streams.ts",
      `import { a } from "../host/gossip.ts";`,
      "'net' must not import 'src/host/gossip.ts'",
    ],
    [
      "src/cluster/founding.ts",
      `import {\n  a,\n  b,\n} from "../sim/virtual-clock.ts";`,
      "'cluster' must not import 'src/sim/virtual-clock.ts'",
    ],
    [
      "src/cluster/founding.ts",
      `import { a } from "left-pad";`,
      "'cluster' must not import the package 'left-pad'",
    ],
    ["src/index.ts", `export { a } from "./server/x.ts";`, "'index' must not import 'src/server/x.ts'"],
    ["cli/crema.ts", `import { a } from "../src/node/door.ts";`, "'cli' must not import 'src/node/door.ts'"],
    ["examples/a.ts", `import { a } from "../src/index.ts";`, "'examples' must not import 'src/index.ts'"],
    ["src/raft/log.ts", `import { a } from "./entry";`, "'./entry' lacks its extension"],
    ["src/extra/a.ts", `const a = 1;`, "room 'extra' is not in the table"],
  ])("sees a violation planted in %s", (file, source, reason) => {
    expect(violations(file, source)).toEqual([`${file}: ${reason}`]);
  });

  it("allows what it lists", () => {
    const source = `import { a } from "../base/ids.ts";\nimport type { B } from "./entry.ts";\n// import "node:fs"\nconst text = 'no import "node:fs" here';`;
    expect(violations("src/raft/log.ts", source.replace(/^const.*$/m, ""))).toEqual([]);
    expect(
      violations(
        "src/net/streams.ts",
        `import net from "node:net"; import type { P } from "../host/ports.ts";`,
      ),
    ).toEqual([]);
  });

  it("reads every form of import", () => {
    const source = [
      `import one from "1";`,
      `import { two } from '2';`,
      `import type { three } from "3";`,
      `import * as four from "4";`,
      `import "5";`,
      `export { six } from "6";`,
      `export * from "7";`,
      `const eight = await import("8");`,
      `/* import "no" */ // import "neither"`,
      `export const nine = "not a module";`,
      `import {`,
      `  type ten,`,
      `} from "10";`,
    ].join("\n");
    expect(importedModules(source)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "10"]);
  });

  it("has no entry that allows an unknown room", () => {
    const known = new Set(Object.keys(IMPORT_TABLE));
    for (const { rooms } of Object.values(IMPORT_TABLE)) {
      for (const room of rooms) expect(known).toContain(room.split("/")[0]);
    }
  });
});
