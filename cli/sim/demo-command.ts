/**
 * `crema sim demo`: how a cluster elects, replicates, loses its leader and keeps its promises, told in half a minute.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { StoryStep } from "../../src/sim/demo/story.ts";
import { tellDemo } from "../../src/sim/demo/tell-demo.ts";
import type { OperatorCommand } from "../operator/command.ts";
import { UsageError } from "../usage-error.ts";
import { DemoView } from "./demo-view.ts";
import { parseSeed } from "./run-flags.ts";

const SEED_DEFAULT = "28";
const WIDTH_MAX = 100;
/** For whoever reads along, before each kind of step. */
const READING_MS: Readonly<Record<StoryStep["type"], number>> = {
  section: 1_500,
  event: 250,
  answer: 400,
  nodes: 900,
  remark: 1_500,
  check: 300,
  verdict: 600,
};

export const demoCommand: OperatorCommand = {
  name: "sim demo",
  usage: "",
  meaning: "a told story: three nodes elect a leader, replicate, lose it, get it back, and are checked",
  flags: [
    { name: "seed", meaning: `another history [default: ${SEED_DEFAULT}]`, placeholder: "seed" },
    {
      name: "speed",
      meaning: "fast or slow enough to read along [default: slow on a terminal, else fast]",
      placeholder: "fast|slow",
    },
  ],
  examples: [["$0 sim demo", "what happens when the leader's cable is cut, in half a minute"]],
  async run({ flags }, { colours, stdout }) {
    const seed = parseSeed("seed", flags.seed ?? SEED_DEFAULT);
    const speed = flags.speed ?? (stdout.isTTY ? "slow" : "fast");
    if (speed !== "fast" && speed !== "slow") {
      throw new UsageError(`--speed: '${speed}' is neither fast nor slow`);
    }
    const view = new DemoView(colours, Math.min(WIDTH_MAX, stdout.columns ?? WIDTH_MAX));
    const title = `crema sim demo --seed ${seed}`;
    const subtitle = "three nodes, one shard, in virtual time; the code is what crema-node runs";
    stdout.write(`${colours.bold(title)}  ${colours.dim(subtitle)}\n`);
    let holds = false;
    for await (const step of tellDemo(seed)) {
      if (speed === "slow") await delay(READING_MS[step.type]);
      stdout.write(`${view.lines(step).join("\n")}\n`);
      if (step.type === "verdict") holds = step.holds;
    }
    return holds ? 0 : 1;
  },
};
