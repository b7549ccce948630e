#!/usr/bin/env node
/**
 * The operator's and the user's command: `crema status`, `crema get`, `crema local`, ... `crema --help` tells the rest.
 * Exit codes: 0 done, 1 failed, 2 not understood.
 */
import { DEFAULT_HTTP_PORT, formatAddress, parseAddress } from "../src/index.ts";
import { CommandFailed } from "./command-failed.ts";
import { ClusterHttp } from "./operator/cluster-http.ts";
import { readCommandLine } from "./operator/command-line.ts";
import { coloursFor } from "./terminal/colours.ts";
import { UsageError } from "./usage-error.ts";

// Whoever reads has heard enough: `crema sim run --seed 1 --trace | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(1);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`crema: ${error.message}\nTry 'crema --help'.\n`);
    process.exitCode = 2;
  } else {
    const unexpected = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`crema: ${error instanceof CommandFailed ? error.message : unexpected}\n`);
    process.exitCode = 1;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const { command, given } = await readCommandLine(argv);
  const context = {
    cluster: new ClusterHttp(httpAddress(given.flags.http)),
    colours: coloursFor(process.stdout),
    stdout: process.stdout,
    stdin: process.stdin,
  };
  return await command.run(given, context);
}

function httpAddress(flag: string | undefined): string {
  const fromEnvironment = process.env.CREMA_HTTP;
  const [text, origin] =
    flag !== undefined
      ? [flag, "--http"]
      : [fromEnvironment || `127.0.0.1:${DEFAULT_HTTP_PORT}`, "CREMA_HTTP"];
  const address = parseAddress(text, DEFAULT_HTTP_PORT);
  if (address === null) throw new UsageError(`${origin}: '${text}' is not host:port`);
  return formatAddress(address);
}
