import { describe, expect, it } from "vitest";
import { GEOMETRY, type Panel, type Plot, plotSvg } from "./plot.ts";
import { type Element, elementsOf } from "./well-formed.ts";

const { left, right, inset, width, top, panelHeight, gap } = GEOMETRY;
const firstX = left + inset;
const lastX = width - right - inset;

describe("a plot", () => {
  it("puts points where the logarithm of their size and their value belong", () => {
    const elements = draw({ panels: [panel("linear", [0, 50, 100], [10, 100, 1_000])] });
    const middleX = (firstX + lastX) / 2;
    expect(dots(elements, 0)).toEqual([
      [firstX, top + panelHeight],
      [middleX, top + panelHeight / 2],
      [lastX, top],
    ]);
    expect(lineThrough(elements, 0)).toEqual(dots(elements, 0));
  });

  it("puts values on a logarithmic axis by their powers of ten", () => {
    const elements = draw({ panels: [panel("logarithmic", [1_000, 10, 100], [1, 2, 4])] });
    expect(dots(elements, 0).map(([, y]) => y)).toEqual([top, top + panelHeight, top + panelHeight / 2]);
    expect(texts(elements, "value")).toEqual(["10", "100", "1,000"]);
  });

  it("writes each size below its points, and round values beside their lines", () => {
    const elements = draw({ panels: [panel("linear", [30_000, 75_000], [3, 7])] });
    expect(texts(elements, "size")).toEqual(["3 things", "7 things"]);
    expect(marked(elements, "size", "x")).toEqual(dots(elements, 0).map(([x]) => x));
    expect(texts(elements, "value")).toEqual(["0", "20,000", "40,000", "60,000", "80,000"]);
    const fourty = marked(elements, "value", "y")[2] as number;
    expect(fourty - 4).toBeCloseTo(top + panelHeight / 2, 1);
  });

  it("puts panels below each other, over the same sizes", () => {
    const panels = [panel("linear", [0, 1], [16, 256]), panel("linear", [0, 1], [64, 256])];
    const elements = draw({ panels });
    const below = top + panelHeight + gap;
    expect(dots(elements, 0)).toEqual([
      [firstX, top + panelHeight],
      [lastX, top],
      [(firstX + lastX) / 2, below + panelHeight],
      [lastX, below],
    ]);
    expect(texts(elements, "size")).toEqual(["16 things", "64 things", "256 things"]);
  });

  it("keeps everything within the picture", () => {
    const elements = draw({ panels: [panel("linear", [123_456, 7], [1, 1_000_000]), logarithmic()] });
    const height = Number(elements[0]?.attributes.height);
    for (const { attributes } of elements) {
      const x = Number(attributes.x ?? attributes.cx ?? 0);
      const y = Number(attributes.y ?? attributes.cy ?? 0);
      expect(x >= 0 && x <= width && y >= 0 && y <= height, JSON.stringify(attributes)).toBe(true);
    }
  });

  it("names lines, axes and itself, whatever is in the names", () => {
    const name = `SET & "GET" <fast>`;
    const elements = draw({ title: name, label: name, panels: [{ ...logarithmic(), label: name }] }, name);
    expect(elements[0]?.attributes["aria-label"]).toBe(name);
    expect(elements.filter(({ text }) => text === name).map(({ attributes }) => attributes.class)).toEqual([
      "title",
      "label",
      "name",
      "label",
    ]);
  });

  it("draws a single size in the middle, and a value of nothing at the bottom", () => {
    const elements = draw({ panels: [panel("linear", [0], [16])] });
    expect(dots(elements, 0)).toEqual([[(firstX + lastX) / 2, top + panelHeight]]);
  });

  it.each([
    ["no panels", []],
    ["no points", [panel("linear", [], [])]],
    ["no number", [panel("linear", [Number.NaN], [1])]],
    ["too much", [panel("linear", [Number.POSITIVE_INFINITY], [1])]],
    ["less than nothing", [panel("linear", [-1], [1])]],
    ["nothing on a logarithmic axis", [panel("logarithmic", [0], [1])]],
    ["a size of nothing", [panel("linear", [1], [0])]],
  ])("refuses %s", (_what, panels) => {
    expect(() => draw({ panels })).toThrow(RangeError);
  });

  it("loads nothing, and is dark where the page is", () => {
    const svg = plotSvg(plot({ panels: [logarithmic()] }));
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /url\(|href|@import|http|script/,
    );
    expect(svg.length).toBeLessThan(8_192);
  });
});

describe("the strict reader", () => {
  it.each([
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a b=1/>",
    '<a b="&x;"/>',
    "<a>1 & 2</a>",
    "<a>1 < 2</a>",
    '<a b="1" b="2"/>',
  ])("refuses %s", (xml) => {
    expect(() => elementsOf(xml)).toThrow();
  });
});

function panel(scale: Panel["scale"], values: readonly number[], sizes: readonly number[]): Panel {
  const points = values.map((value, at) => ({ size: sizes[at] as number, value }));
  return { label: "values, in units", scale, lines: [{ name: "line", points }] };
}

function logarithmic(): Panel {
  return panel("logarithmic", [3, 300], [1, 8]);
}

function plot(parts: Partial<Plot>): Plot {
  return { title: "title", label: "things", sizeText: (size) => `${size} things`, panels: [], ...parts };
}

/** With all lines called `name`, when it is given. */
function draw(parts: Partial<Plot>, name?: string): readonly Element[] {
  const whole = plot(parts);
  const panels = whole.panels.map((each) => ({
    ...each,
    lines: each.lines.map((line) => ({ ...line, name: name ?? line.name })),
  }));
  const svg = plotSvg({ ...whole, panels });
  expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
  return elementsOf(svg);
}

function dots(elements: readonly Element[], line: number): readonly (readonly number[])[] {
  return elements
    .filter(({ attributes }) => attributes.class === `dot dot-${line}`)
    .map(({ attributes }) => [Number(attributes.cx), Number(attributes.cy)]);
}

function lineThrough(elements: readonly Element[], line: number): readonly (readonly number[])[] {
  const polyline = elements.find(
    ({ name, attributes }) => name === "polyline" && attributes.class === `line line-${line}`,
  );
  return (polyline?.attributes.points ?? "").split(" ").map((pair) => pair.split(",").map(Number));
}

function texts(elements: readonly Element[], className: string): readonly string[] {
  return elements.filter(({ attributes }) => attributes.class === className).map(({ text }) => text);
}

function marked(elements: readonly Element[], className: string, axis: "x" | "y"): readonly number[] {
  return elements
    .filter(({ attributes }) => attributes.class === className)
    .map(({ attributes }) => Number(attributes[axis]));
}
