import { expect, test } from "vitest";
import { HeapGrowth } from "../../cli/daemon/heap-growth.ts";

const MEBIBYTE = 1_024 ** 2;

test("a heap may grow fourfold while it is small, and is V8's affair when it is not", () => {
  const set: number[] = [];
  let usedBytes = 20 * MEBIBYTE;
  const growth = new HeapGrowth({
    usedBytes: () => usedBytes,
    setGrowingPercent: (percent) => set.push(percent),
  });
  growth.watch(["--max-old-space-size=500"]);
  usedBytes = 200 * MEBIBYTE;
  growth.look();
  expect(set).toEqual([300]);
  usedBytes = 300 * MEBIBYTE;
  growth.look();
  growth.look();
  expect(set).toEqual([300, 0]);
  usedBytes = 100 * MEBIBYTE;
  growth.look();
  expect(set).toEqual([300, 0, 300]);
});

test.each(["--heap-growing-percent=50", "--heap_growing_percent=50"])("%s is obeyed", (flag) => {
  const set: number[] = [];
  new HeapGrowth({ usedBytes: () => 0, setGrowingPercent: (percent) => set.push(percent) }).watch([flag]);
  expect(set).toEqual([]);
});
