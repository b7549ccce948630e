/**
 * What `crema-node` makes of the settings that an example gives it, read by the program's own rules.
 */
import { environmentName, FLAG_NAMES } from "../../cli/daemon/flags.ts";
import { type DaemonSettings, resolveDaemonSettings } from "../../cli/daemon/settings.ts";

/** `NAME=value` lines, as systemd's EnvironmentFile and container engines read them. */
export function readEnvironmentFile(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Z_]+)=([^\s"'#]*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`not a plain setting: ${line}`);
      return [name, value];
    }),
  );
}

/** The settings in `environment`. Throws for a CREMA_ variable that is none, and for a value that is refused. */
export function settingsOf(environment: Readonly<Record<string, string>>): DaemonSettings {
  const known: readonly string[] = FLAG_NAMES.map(environmentName);
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith("CREMA_") && !known.includes(name),
  );
  if (unknown.length > 0) throw new Error(`not a setting: ${unknown.join(", ")}`);
  return resolveDaemonSettings({ argv: [], environment, onTerminal: false });
}

/** Bytes of heap that NODE_OPTIONS allow. */
export function heapBytesOf(environment: Readonly<Record<string, string>>): number {
  const [, mebibytes] = /^--max-old-space-size=(\d+)$/.exec(environment.NODE_OPTIONS ?? "") ?? [];
  if (mebibytes === undefined) throw new Error("NODE_OPTIONS says nothing of the heap");
  return Number(mebibytes) * 2 ** 20;
}
