/**
 * The daemon's log: pino on standard output, one JSON object per line, or a readable line on a terminal.
 * Writing is synchronous so that the last words of a dying process are not lost.
 */
import { destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { LogFormat, LogLevel } from "./settings.ts";

export type { Logger } from "pino";

export function openLog(format: LogFormat, level: LogLevel): Logger {
  const options = {
    level,
    base: null,
    timestamp: pinoIsoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === "json") return pino(options, destination({ fd: 1, sync: true }));
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const stream = pretty({
    colorize: colours,
    destination: 1,
    sync: true,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
  return pino(options, stream);
}

function pinoIsoTime(): string {
  return `,"time":"${new Date().toISOString()}"`;
}
