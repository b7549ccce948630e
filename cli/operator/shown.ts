/**
 * What a node answers, once or again and again: as lines for people or as JSON.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Colours } from "../terminal/colours.ts";
import { Screen } from "../terminal/screen.ts";
import type { ClusterHttp } from "./cluster-http.ts";
import type { CommandContext } from "./command.ts";

const WATCH_INTERVAL_MS = 1_000;

export interface Shown<Answer> {
  readonly ask: (cluster: ClusterHttp) => Promise<Answer>;
  readonly lines: (answer: Answer, colours: Colours) => readonly string[];
  /** The part of the answer that `--json` prints. */
  readonly json: (answer: Answer) => unknown;
}

/** With `--watch` until the node does not answer any more: draws over itself on a terminal, elsewhere prints what has changed. */
export async function show<Answer>(
  flags: Readonly<Record<string, string>>,
  { cluster, colours, stdout }: CommandContext,
  { ask, lines, json }: Shown<Answer>,
): Promise<number> {
  const print = (answer: Answer) =>
    flags.json === undefined ? lines(answer, colours) : [JSON.stringify(json(answer), null, 2)];
  if (flags.watch === undefined) {
    stdout.write(`${print(await ask(cluster)).join("\n")}\n`);
    return 0;
  }
  const screen = stdout.isTTY && flags.json === undefined ? new Screen(stdout) : null;
  let shown = "";
  for (;;) {
    const current = print(await ask(cluster));
    const text = current.join("\n");
    if (screen !== null) screen.draw(current);
    else if (text !== shown) stdout.write(`${text}\n${flags.json === undefined ? "\n" : ""}`);
    shown = text;
    await delay(WATCH_INTERVAL_MS);
  }
}
