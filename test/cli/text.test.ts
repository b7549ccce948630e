/**
 * The small instruments of the commands: names, durations, tables, screens.
 */
import { describe, expect, it } from "vitest";
import { parseByteSize } from "../../cli/byte-size.ts";
import { formatDuration, parseDurationMs } from "../../cli/duration.ts";
import { editDistance, nearestName } from "../../cli/nearest-name.ts";
import { NodeLabels } from "../../cli/operator/node-labels.ts";
import { ANSI, coloursFor } from "../../cli/terminal/colours.ts";
import { cutToWidth, Screen } from "../../cli/terminal/screen.ts";
import { textTable } from "../../cli/terminal/text-table.ts";

describe("nearest name", () => {
  it.each([
    ["", "", 0],
    ["seed", "seed", 0],
    ["seed", "seeds", 1],
    ["sede", "seed", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
  ])("%j and %j are %i edits apart", (left, right, edits) => {
    expect(editDistance(left, right)).toBe(edits);
    expect(editDistance(right, left)).toBe(edits);
  });

  it("is the closest one, or none when all are far", () => {
    expect(nearestName("stats", ["status", "set", "members"])).toBe("status");
    expect(nearestName("frobnicate", ["status", "set"])).toBeNull();
  });
});

describe("a size in bytes", () => {
  it.each([
    ["0", 0],
    ["1500", 1_500],
    ["512mb", 512 * 1024 ** 2],
    ["1GiB", 1024 ** 3],
    ["1.5 kb", 1_536],
    ["100m", 100_000_000],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(["", "-1", "12 parsecs", "1e9", "9999999tb", "mb"])("'%s' is none", (text) => {
    expect(parseByteSize(text)).toBeNull();
  });
});

describe("duration", () => {
  it.each([
    ["0", 0],
    ["25", 25_000],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
  ])("%s is %i ms", (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
    expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
  });

  it.each(["", "x", "-1", "1y", "1e3", "99999999999999d"])("%j is none", (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});

describe("text table", () => {
  it("lines columns up, numbers to the right, without trailing blanks", () => {
    const columns = [{ title: "NODE" }, { title: "LEADS", align: "right" }, { title: "STATE" }] as const;
    const rows = [
      ["a1", "5", { text: "alive", paint: ANSI.green }],
      ["longer", "12", "dead"],
    ];
    expect(textTable(columns, rows)).toEqual([
      "NODE    LEADS  STATE",
      "a1          5  \u001b[32malive\u001b[39m",
      "longer     12  dead",
    ]);
  });
});

describe("screen", () => {
  it("draws a block over the one before it and cuts what does not fit", () => {
    const written: string[] = [];
    const screen = new Screen({ columns: 5, rows: 4, write: (text) => written.push(text) });
    screen.draw(["1234567", "b"]);
    screen.draw(["x", "y", "z", "cut"]);
    screen.print(["stays"]);
    screen.draw(["new"]);
    expect(written).toEqual([
      "12345\nb\n",
      "\u001b[2F\u001b[Jx\ny\nz\n",
      "\u001b[3F\u001b[Jstays\n",
      "new\n",
    ]);
  });

  it("draws on a terminal that was told no size", () => {
    const written: string[] = [];
    const screen = new Screen({ columns: 0, rows: 0, write: (text) => written.push(text) });
    screen.draw(["a line", "another"]);
    expect(written).toEqual(["a line\nanother\n"]);
  });

  it("counts visible characters only", () => {
    expect(cutToWidth(`${ANSI.red("abc")}def`, 4)).toBe(`${ANSI.red("abc")}d`);
    expect(cutToWidth(ANSI.red("abcdef"), 2)).toBe(ANSI.red("ab"));
  });

  it("has colours on a terminal only", () => {
    expect(coloursFor({ isTTY: false }).red("x")).toBe("x");
    expect(coloursFor({}).red("x")).toBe("x");
  });
});

describe("node labels", () => {
  it("are as long as they must be to tell the ids apart", () => {
    const labels = new NodeLabels(["aaaa0000ffff0000", "aaaa0001ffff0000", "bbbb000000000000"]);
    expect(labels.all(["aaaa0000ffff0000", "bbbb000000000000"])).toBe("aaaa0000 bbbb0000");
    expect(new NodeLabels(["aaaa0000ffff0000"]).of("aaaa0000ffff0000")).toBe("aaaa");
    expect(labels.all([])).toBe("-");
  });
});
