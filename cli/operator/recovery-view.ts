/**
 * A plan of recovery in words and a table: who is lost, what becomes of each group, and what it costs.
 */
import type { MemberStatus, RecoveryPlan } from "../../src/index.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import { NodeLabels } from "./node-labels.ts";

export function recoveryLines(
  plan: RecoveryPlan,
  members: readonly MemberStatus[],
  colours: Colours,
): readonly string[] {
  const { lost, steps } = plan;
  if (steps.length === 0) {
    const who = lost.length === 0 ? "Every member answers" : `${count(lost.length, "member")} silent`;
    return [`${who}, and every group has its majority: there is nothing to recover.`];
  }
  const labels = new NodeLabels([
    ...members.map(({ nodeId }) => nodeId),
    ...steps.flatMap(({ node, voters }) => [node, ...voters]),
  ]);
  const groups = count(steps.length, "group");
  return [
    `${lost.length} of ${members.length} members do not answer:`,
    ...lost.map((node) => {
      const member = members.find(({ nodeId }) => nodeId === node);
      return `  ${labels.of(node)}  ${member?.address ?? ""}`;
    }),
    "",
    `${groups} lost the majority of their voters:`,
    "",
    ...stepLines(plan, labels, colours),
    "",
    ...priceLines(plan, colours),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function stepLines({ steps }: RecoveryPlan, labels: NodeLabels, colours: Colours): readonly string[] {
  const columns = [
    { title: "GROUP" },
    { title: "VOTERS" },
    { title: "ANSWER" },
    { title: "GOES ON WITH" },
    { title: "LOG UP TO", align: "right" },
  ] as const;
  const rows = steps.map(({ group, node, voters, answering, lastIndex }): readonly Cell[] => [
    group === 0 ? "system" : `shard ${group - 1}`,
    labels.all(voters),
    labels.all(answering),
    labels.of(node),
    lastIndex === 0 ? { text: "nothing left", paint: colours.red } : String(lastIndex),
  ]);
  return textTable(columns, rows, colours.dim);
}

function priceLines({ steps }: RecoveryPlan, colours: Colours): readonly string[] {
  const emptied = steps.filter(({ group, lastIndex }) => group !== 0 && lastIndex === 0).length;
  return [
    colours.yellow("What it costs:"),
    "  Each of these groups goes on with one replica alone, the one that reaches furthest of those left.",
    "  What only the lost machines had acknowledged is gone, and reads may have shown it.",
    ...(emptied === 0
      ? []
      : [`  Of ${count(emptied, "shard")} no replica is left: all keys there are gone. A backup has them.`]),
    "  The lost members are removed. Should they come back, they are refused and begin anew, without their data.",
    "  If they are not lost but only cut off, they still serve clients: what those write there will be thrown",
    "  away. Make sure that they are off.",
  ];
}
