/**
 * `crema recover`: what to do when a majority is lost for good. Without `--force` it only tells what it would do.
 */
import type { RecoveryPlan } from "../../src/index.ts";
import { JSON_FLAG, type OperatorCommand } from "./command.ts";
import { recoveryLines } from "./recovery-view.ts";

export const recoverCommand: OperatorCommand = {
  name: "recover",
  usage: "",
  meaning: "when machines are lost for good, and majorities with them: what can be saved, and at what price",
  flags: [
    {
      name: "force",
      meaning: "do it: remove the members that do not answer, and go on with what the others hold",
      placeholder: null,
    },
    JSON_FLAG,
  ],
  examples: [
    ["$0 recover", "which groups have lost their majority, and what would become of them"],
    ["$0 recover --force", "accept the loss and go on"],
  ],
  async run(given, { cluster, colours, stdout }) {
    const [plan, { members }] = await Promise.all([cluster.recoveryPlan(), cluster.status()]);
    const isJson = given.flags.json !== undefined;
    if (given.flags.force === undefined || plan.steps.length === 0) {
      stdout.write(isJson ? json(plan) : text([...recoveryLines(plan, members, colours), ...advice(plan)]));
      return 0;
    }
    if (!isJson) stdout.write(text(recoveryLines(plan, members, colours)));
    const done = await cluster.recover(plan.lost);
    stdout.write(
      isJson
        ? json(done)
        : text([
            "",
            `Done: ${done.steps.length} groups go on. Replicas are being made anew; see 'crema status'.`,
          ]),
    );
    return 0;
  },
};

function advice({ steps, obstacle }: RecoveryPlan): readonly string[] {
  if (steps.length === 0) return [];
  if (obstacle !== null) return ["", `It cannot be done now: ${obstacle}.`];
  return ["", "Nothing was done. If the machines are lost for good: crema recover --force"];
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function json(plan: RecoveryPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}
