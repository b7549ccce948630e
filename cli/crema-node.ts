#!/usr/bin/env node
/**
 * The server: one node of a crema cluster in one process. `crema-node --help` tells the rest.
 */
import { runDaemon } from "./daemon/daemon.ts";
import { resolveDaemonSettings } from "./daemon/settings.ts";
import { UsageError } from "./usage-error.ts";

try {
  const settings = resolveDaemonSettings({
    argv: process.argv.slice(2),
    environment: process.env,
    onTerminal: process.stdout.isTTY === true,
  });
  await runDaemon(settings);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`crema-node: ${error.message}\nTry 'crema-node --help'.\n`);
  process.exitCode = 2;
}
