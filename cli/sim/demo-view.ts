/**
 * How the steps of the demo look on a terminal, and without colours on a pipe. Pure: steps in, lines out.
 */
import { type NodeState, SECTION_TITLES, type StoryStep } from "../../src/sim/demo/story.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import { wrapText } from "./wrap-text.ts";

const MARGIN = "  ";
/** Room for the virtual time in front of what happened. */
const TIME_WIDTH = 11;
const COLUMNS = [
  { title: "NODE" },
  { title: "NETWORK" },
  { title: "ROLE" },
  { title: "TERM", align: "right" },
  { title: "LOG ENDS AT", align: "right" },
  { title: "COMMITTED", align: "right" },
  { title: "APPLIED", align: "right" },
  { title: "LEADER" },
  { title: "COFFEE" },
] as const;

/** Steps of one block follow each other without a blank line. */
const BLOCKS: Readonly<Record<StoryStep["type"], string>> = {
  section: "section",
  event: "happenings",
  answer: "happenings",
  nodes: "nodes",
  remark: "remark",
  check: "checks",
  verdict: "verdict",
};

/** Draws one story; remembers the last table, so that what changed since can be shown. */
export class DemoView {
  readonly #colours: Colours;
  readonly #width: number;
  #block = "";
  #shown: readonly (readonly string[])[] = [];

  constructor(colours: Colours, width: number) {
    this.#colours = colours;
    this.#width = width;
  }

  lines(step: StoryStep): readonly string[] {
    const block = BLOCKS[step.type];
    const parted = block !== this.#block || step.type === "nodes";
    this.#block = block;
    return parted ? ["", ...this.#linesOf(step)] : this.#linesOf(step);
  }

  #linesOf(step: StoryStep): readonly string[] {
    const { bold, dim, green, red, yellow } = this.#colours;
    switch (step.type) {
      case "section": {
        const number = SECTION_TITLES.indexOf(step.title) + 1;
        return [bold(`${number}. ${step.title}`), "", ...this.#paragraph(step.text)];
      }
      case "event":
        return this.#timed(step.atMs, step.text, (line) => line);
      case "answer": {
        const paint = step.outcome === "ok" ? green : step.outcome === "refused" ? red : yellow;
        return this.#timed(step.atMs, `${step.request}: ${step.answer}`, paint);
      }
      case "nodes": {
        const texts = step.nodes.map(rowTexts);
        const same = JSON.stringify(texts) === JSON.stringify(this.#shown);
        const caption = dim(`${timeText(step.atMs)}  ${step.caption}${same ? ": as above" : ""}`);
        return same ? [caption] : [caption, ...this.#table(texts)];
      }
      case "remark":
        return this.#paragraph(step.text);
      case "check": {
        const mark = step.holds ? green("holds ") : red("BROKEN");
        return [`${MARGIN}${mark}  ${step.claim.padEnd(32)}${dim(step.evidence)}`];
      }
      case "verdict":
        return [`${dim(timeText(step.atMs))}  ${(step.holds ? green : red)(step.text)}`];
    }
  }

  #paragraph(text: string): readonly string[] {
    return wrapText(text, this.#width - MARGIN.length).map((line) => `${MARGIN}${line}`);
  }

  #timed(atMs: number, text: string, paint: (line: string) => string): readonly string[] {
    const room = this.#width - TIME_WIDTH - 2;
    return wrapText(text, room).map((line, index) => {
      const time = index === 0 ? this.#colours.dim(timeText(atMs)) : " ".repeat(TIME_WIDTH);
      return `${time}  ${paint(line)}`;
    });
  }

  #table(texts: readonly (readonly string[])[]): readonly string[] {
    const before = this.#shown;
    this.#shown = texts;
    const rows = texts.map((row, line) =>
      row.map((text, column): Cell => {
        const changed = before.length > 0 && before[line]?.[column] !== text;
        return changed ? { text, paint: this.#colours.yellow } : text;
      }),
    );
    return textTable(COLUMNS, rows, this.#colours.dim).map((line) => `${MARGIN}${line}`);
  }
}

function rowTexts({ name, connected, replica }: NodeState): readonly string[] {
  const network = connected ? "ok" : "cut off";
  if (replica === null) return [name, network, "starting", "-", "-", "-", "-", "-", "-"];
  const { role, term, lastIndex, commit, applied, leader, value } = replica;
  const numbers = [term, lastIndex, commit, applied].map(String);
  const leads = leader === null ? "unknown" : leader === name ? "itself" : leader;
  return [name, network, role, ...numbers, leads, value ?? "-"];
}

function timeText(atMs: number): string {
  return `${(atMs / 1_000).toFixed(3)} s`.padStart(TIME_WIDTH);
}
