/**
 * A plot as SVG, for documents: what happens as one thing grows. The sizes stand on a logarithmic axis that one or more panels
 * share. It brings its own background, for light and for dark pages, and loads nothing.
 */
import { type Axis, decadeAxis, linearAxis, sizeAxis } from "./axis.ts";

export interface Plot {
  readonly title: string;
  /** Of the sizes, with their unit. */
  readonly label: string;
  readonly sizeText: (size: number) => string;
  /** From top to bottom. */
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** Of its values, with their unit. */
  readonly label: string;
  readonly scale: "linear" | "logarithmic";
  /** At most as many as there are colours: {@link COLOURS}. */
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly size: number; readonly value: number }[];
}

/** In pixels. Sizes begin and end a little within the frame. */
export const GEOMETRY = Object.freeze({
  width: 720,
  left: 96,
  right: 24,
  inset: 24,
  top: 52,
  panelHeight: 200,
  gap: 44,
  bottom: 56,
});

/** Each line's, in light and in dark; the second is dashed and the third dotted, for those who see no difference. */
const COLOURS = [
  { light: "#0550ae", dark: "#79c0ff", dash: "none" },
  { light: "#bc4c00", dark: "#ffa657", dash: "8 4" },
  { light: "#116329", dark: "#7ee787", dash: "2 3" },
] as const;
const LEGEND_WIDTH = 120;

/** Throws `RangeError` when there is nothing to draw, too much, or a value that cannot be drawn. */
export function plotSvg({ title, label, sizeText, panels }: Plot): string {
  const { width, left, right, top, panelHeight, gap, bottom } = GEOMETRY;
  const sizes = sizeAxis(panels.flatMap(({ lines }) => sizesOf(lines)));
  const height = top + panels.length * (panelHeight + gap) - gap + bottom;
  const frameBottom = height - bottom;
  const marks = sizes.ticks.map((size) =>
    text("size", xOf(sizes, size), frameBottom + 18, "middle", sizeText(size)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style()}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text("title", left, 22, "start", title),
    ...panels.flatMap((panel, at) => panelSvg(panel, sizes, top + at * (panelHeight + gap))),
    ...marks,
    text("label", (left + width - right) / 2, height - 12, "middle", label),
    "</svg>",
    "",
  ].join("\n");
}

function panelSvg({ label, scale, lines }: Panel, sizes: Axis, top: number): readonly string[] {
  if (lines.length > COLOURS.length) throw new RangeError(`${lines.length} lines in one panel`);
  const { width, left, right, panelHeight } = GEOMETRY;
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const axis = scale === "linear" ? linearAxis(values) : decadeAxis(values);
  const yOf = (value: number) => pixel(top + panelHeight * (1 - axis.place(value)));
  const middle = top + panelHeight / 2;
  return [
    ...axis.ticks.flatMap((tick) => [
      `<path class="grid" d="M${left} ${yOf(tick)}H${width - right}"/>`,
      text("value", left - 8, yOf(tick) + 4, "end", numberText(tick)),
    ]),
    `<text class="label" transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escaped(label)}</text>`,
    ...lines.flatMap(({ name, points }, at) => {
      const places = points.map(({ size, value }) => ({ x: xOf(sizes, size), y: yOf(value) }));
      const legendX = width - right - (lines.length - at) * LEGEND_WIDTH;
      return [
        `<polyline class="line line-${at}" points="${places.map(({ x, y }) => `${x},${y}`).join(" ")}"/>`,
        ...places.map(({ x, y }) => `<circle class="dot dot-${at}" cx="${x}" cy="${y}" r="3.5"/>`),
        `<path class="line line-${at}" d="M${legendX} ${top - 12}h28"/>`,
        text("name", legendX + 36, top - 8, "start", name),
      ];
    }),
  ];
}

function sizesOf(lines: readonly Line[]): readonly number[] {
  return lines.flatMap(({ points }) => points.map(({ size }) => size));
}

function xOf(sizes: Axis, size: number): number {
  const { width, left, right, inset } = GEOMETRY;
  return pixel(left + inset + (width - left - right - 2 * inset) * sizes.place(size));
}

function text(className: string, x: number, y: number, anchor: string, content: string): string {
  return `<text class="${className}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function style(): string {
  const colours = (theme: "light" | "dark") =>
    COLOURS.map((colour, at) => `.line-${at}{stroke:${colour[theme]}}.dot-${at}{fill:${colour[theme]}}`);
  return [
    "text{font:12px system-ui,sans-serif;fill:#1f2328}",
    ".title{font-size:15px;font-weight:600}",
    ".page{fill:#ffffff}.grid{stroke:#d1d9e0}.line{fill:none;stroke-width:2}",
    ...COLOURS.map(({ dash }, at) => `.line-${at}{stroke-dasharray:${dash}}`),
    ...colours("light"),
    "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#3d444d}",
    ...colours("dark"),
    "}",
  ].join("");
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

function numberText(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 6 });
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
