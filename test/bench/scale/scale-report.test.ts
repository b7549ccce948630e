import { describe, expect, it } from "vitest";
import type { Measurement } from "../measuring.ts";
import { figureOf, memoryTable, plotsOf, speedLine } from "./scale-report.ts";
import type { ScaleRow } from "./scale-row.ts";
import { type Growing, shapeOf, sizeText, USUAL } from "./sizes.ts";

describe("the report of sizes", () => {
  it("tells the median of each speed, also in MB, and who else was busy", () => {
    const row = rowOf("valueBytes", 1_024, [1_000, 3_000, 2_000], [5_000]);
    const figure = figureOf(row);
    expect(figure.set).toEqual({ perSecond: 2_000, megabytesPerSecond: 2.048, p50Ms: 1, p99Ms: 2, busy: 3 });
    expect(figure.get.megabytesPerSecond).toBe(5.12);
    expect(speedLine(row, figure)).toBe(
      "| 1 KiB a value | 64 x 8 | 2,000 (3 busy) | 2.05 | 1.00 / 2.00 | 5,000 (1 busy) | 5.12 | 1.00 / 2.00 | 0.25 + 1.50 | 0.10 |",
    );
  });

  it("compares a node with redis-server, with its logs and without", () => {
    const memory = {
      ours: { held: 300, logs: 60, accounted: 230, resident: 500 },
      redis: { held: 160, resident: 200 },
    };
    const row = { ...rowOf("keys", 100_000, [1], [1]), memory };
    expect(
      memoryTable([figureOf(row)])
        .split("\n")
        .at(-1),
    ).toBe("| 100,000 | 300 | 60 | 230 | 160 | 1.88 | 1.50 | 500 | 200 | 2.50 |");
    const alone = { ...row, memory: { ...memory, redis: null } };
    expect(
      memoryTable([figureOf(alone)])
        .split("\n")
        .at(-1),
    ).toBe("| 100,000 | 300 | 60 | 230 |  |  |  | 500 |  |  |");
    expect(memoryTable([figureOf(rowOf("keys", 1_000, [1], [1]))])).toBe("");
  });

  it("makes a plot of each thing that grew, with a point for each of its sizes", () => {
    const figures = [
      figureOf(rowOf("shards", 1, [10], [100])),
      figureOf(rowOf("shards", 4, [20], [200])),
      figureOf(rowOf("valueBytes", 16, [1_000_000], [2_000_000])),
    ];
    const [shards, values, ...others] = plotsOf(figures);
    expect(others).toEqual([]);
    expect([shards?.file, values?.file]).toEqual(["scale-shards.svg", "scale-values.svg"]);
    expect(shards?.plot.panels.map(({ lines }) => lines)).toEqual([
      [
        {
          name: "SET",
          points: [
            { size: 1, value: 10 },
            { size: 4, value: 20 },
          ],
        },
        {
          name: "GET",
          points: [
            { size: 1, value: 100 },
            { size: 4, value: 200 },
          ],
        },
      ],
    ]);
    expect(values?.plot.panels.map(({ lines }) => lines[0]?.points[0]?.value)).toEqual([1_000_000, 16]);
  });
});

describe("the plot of keys", () => {
  it("has what a key costs a node and redis-server, where that was looked at", () => {
    const ours = { held: 300, logs: 60, accounted: 230, resident: 500 };
    const few = figureOf(rowOf("keys", 1_000, [1], [1]));
    const many = { ...few, size: 100_000, memory: { ours, redis: { held: 160, resident: 200 } } };
    const alone = { ...few, size: 1_000_000, memory: { ours, redis: null } };
    const [plot] = plotsOf([few, many, alone]);
    expect(plot?.plot.panels[1]?.lines).toEqual([
      {
        name: "a node",
        points: [
          { size: 100_000, value: 300 },
          { size: 1_000_000, value: 300 },
        ],
      },
      { name: "redis-server", points: [{ size: 100_000, value: 160 }] },
    ]);
    expect(plotsOf([few])[0]?.plot.panels.length).toBe(1);
  });
});

describe("sizes", () => {
  it("are written with the unit that makes them small", () => {
    const texts = [16, 1_000, 1_024, 65_536, 1_048_576].map((size) => sizeText("valueBytes", size));
    expect(texts).toEqual(["16 B", "1000 B", "1 KiB", "64 KiB", "1 MiB"]);
    expect(sizeText("keys", 1_000_000)).toBe("1,000,000");
  });

  it("are given no more load than 4 MiB at once, from eight clients at least", () => {
    expect(shapeOf(USUAL)).toMatchObject({ connections: 64, pipeline: 8 });
    expect(shapeOf({ ...USUAL, valueBytes: 65_536 })).toMatchObject({
      connections: 64,
      pipeline: 1,
      data: { keys: 1_024 },
    });
    expect(shapeOf({ ...USUAL, valueBytes: 1_048_576 })).toMatchObject({
      connections: 8,
      data: { keys: 64 },
    });
  });
});

function rowOf(growing: Growing, size: number, sets: readonly number[], gets: readonly number[]): ScaleRow {
  const shape = shapeOf({ ...USUAL, [growing]: size });
  return { growing, size, shape, sets: sets.map(measured), gets: gets.map(measured), memory: null };
}

function measured(perSecond: number): Measurement {
  return {
    outcome: { operations: perSecond, seconds: 1, p50Ms: 1, p99Ms: 2, tail: null, busy: 1, missing: 0 },
    perSecond,
    loadCores: 0.25,
    serverCores: [0.5, 0.5, 0.5],
    foreignCores: 0.1,
    stealCores: 0,
    disturbance: null,
  };
}
