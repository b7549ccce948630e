/**
 * `crema events`: what one node sees happen, as it happens.
 */
import { describeEvent } from "../../src/index.ts";
import { JSON_FLAG, type OperatorCommand } from "./command.ts";

export const eventsCommand: OperatorCommand = {
  name: "events",
  usage: "",
  meaning: "joins, deaths, elections and replica moves as the node sees them, until Ctrl-C",
  flags: [JSON_FLAG],
  examples: [["$0 events --json", "one JSON object per line"]],
  async run(given, { cluster, colours, stdout }) {
    for await (const event of cluster.events()) {
      const time = new Date().toTimeString().slice(0, 8);
      const line =
        given.flags.json === undefined
          ? `${colours.dim(time)}  ${describeEvent(event)}`
          : JSON.stringify(event);
      stdout.write(`${line}\n`);
    }
    process.stderr.write(`crema: ${cluster.address} closed the stream\n`);
    return 1;
  },
};
