/**
 * Settings from a JSON file: one object whose fields are named like the flags, without the dashes in front.
 * `{ "seed": ["10.0.0.5:7946"], "resp-port": 6380, "no-http": true }`
 */
import { readFileSync } from "node:fs";
import { didYouMean } from "../nearest-name.ts";
import { UsageError } from "../usage-error.ts";
import { FLAG_NAMES, FLAGS, type FlagValues, isFlagName, readFlag } from "./flags.ts";

/** Reads the file. Throws `UsageError` naming the file and the field for whatever is wrong with it. */
export function readConfigFile(path: string): FlagValues {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `cannot read the configuration file: ${error instanceof Error ? error.message : error}`,
    );
  }
  return parseConfig(text, path);
}

export function parseConfig(text: string, path: string): FlagValues {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UsageError(`${path} must hold one JSON object with settings as fields`);
  }
  const values: FlagValues[] = [];
  for (const [field, value] of Object.entries(config)) {
    if (!isFlagName(field) || field === "config") {
      const known = FLAG_NAMES.filter((name) => name !== "config");
      throw new UsageError(`${path}: unknown field "${field}"${didYouMean(field, known)}`);
    }
    values.push(readFlag(field, fieldTexts(field, value, path), `${path}: "${field}"`));
  }
  return Object.assign({}, ...values);
}

function fieldTexts(field: keyof typeof FLAGS, value: unknown, path: string): readonly string[] {
  const list = Array.isArray(value) && FLAGS[field].repeats ? value : [value];
  return list.map((element: unknown) => {
    if (FLAGS[field].placeholder === null && typeof element !== "boolean") {
      throw new UsageError(`${path}: "${field}" must be true or false`);
    }
    if (typeof element === "string" || typeof element === "number" || typeof element === "boolean")
      return String(element);
    throw new UsageError(
      `${path}: "${field}" must be a text or a number${FLAGS[field].repeats ? ", or a list of them" : ""}`,
    );
  });
}
