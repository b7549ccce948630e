/**
 * What the doors ask of a log: pino's shape, and nothing that ties them to pino.
 */

/** Structured logging: fields first, then a sentence. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** A logger that says nothing. */
export const SILENT_LOGGER: Logger = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} });

/** A logger that writes each line, fields behind the text, through one function. */
export function lineLogger(write: (level: keyof Logger, line: string) => void): Logger {
  const lines = (level: keyof Logger) => (fields: object, text: string) => {
    write(level, Object.keys(fields).length === 0 ? text : `${text} ${JSON.stringify(fields)}`);
  };
  return { debug: lines("debug"), info: lines("info"), warn: lines("warn"), error: lines("error") };
}
