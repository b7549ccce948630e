import { expect, test } from "vitest";
import { inlineMore } from "../../cli/daemon/inlining.ts";

function flagsSet(flagsOfNode: readonly string[]): string[] {
  const set: string[] = [];
  inlineMore(flagsOfNode, (flag) => set.push(flag));
  return set;
}

test("V8 inlines more than it would by itself", () => {
  expect(flagsSet(["--max-old-space-size=500"])).toEqual([
    "--max-inlined-bytecode-size=1000",
    "--max-inlined-bytecode-size-cumulative=2500",
  ]);
});

test.each([
  "--max-inlined-bytecode-size=460",
  "--max-inlined-bytecode-size-cumulative=920",
  "--max_inlined_bytecode_size=0",
])("%s is obeyed", (flag) => {
  expect(flagsSet([flag])).toEqual([]);
});
