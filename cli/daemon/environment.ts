/**
 * Settings from the environment: `CREMA_RESP_PORT=6381`. An empty variable counts as not set.
 */
import { nearestName } from "../nearest-name.ts";
import { environmentName, FLAG_NAMES, type FlagValues, readFlag } from "./flags.ts";

/** Variables that start with CREMA_ and belong to others: `crema` reads its address from one of them. */
const FOREIGN_VARIABLES: readonly string[] = ["CREMA_HTTP"];

export interface EnvironmentSettings {
  readonly values: FlagValues;
  /** Variables that look like a misspelt setting, worded for the log. */
  readonly warnings: readonly string[];
}

/** Reads every setting of `environment`. Throws `UsageError` naming the variable when a value is bad. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const known = new Map(FLAG_NAMES.map((flag) => [environmentName(flag), flag]));
  const values: FlagValues[] = [];
  const warnings: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith("CREMA_") || text === undefined || text.trim() === "") continue;
    const flag = known.get(variable);
    if (flag !== undefined) {
      values.push(readFlag(flag, [text], variable));
    } else if (!FOREIGN_VARIABLES.includes(variable)) {
      const nearest = nearestName(variable, known.keys());
      if (nearest !== null)
        warnings.push(`environment variable ${variable} is not a setting; did you mean ${nearest}?`);
    }
  }
  return { values: Object.assign({}, ...values), warnings };
}
