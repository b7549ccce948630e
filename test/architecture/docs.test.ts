/**
 * The documents say what the code does: every code, limit, flag and command in them exists, and none is missing.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLAG_NAMES, FLAGS, type FlagName } from "../../cli/daemon/flags.ts";
import { resolveDaemonSettings } from "../../cli/daemon/settings.ts";
import { eventLevel } from "../../cli/event-level.ts";
import { COMMANDS, readCommandLine } from "../../cli/operator/command-line.ts";
import { CREMA_ERROR_CODES } from "../../src/base/errors.ts";
import * as limits from "../../src/base/limits.ts";
import type { NodeEvent } from "../../src/index.ts";
import { ROOT, readSource } from "./imports.ts";

const readme = readSource("README.md");
const documents = [
  "README.md",
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: "utf8" }).map((file) => `docs/${file}`),
]
  .filter((file) => file.endsWith(".md"))
  .sort();
const packageJson: {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
} = JSON.parse(readSource("package.json"));

describe("docs/errors.md", () => {
  it("explains every error code under a heading of its own, and no other, in order", () => {
    const headings = [...readSource("docs/errors.md").matchAll(/^## (\S+)$/gm)].map((match) => match[1]);
    expect(headings).toEqual([...CREMA_ERROR_CODES]);
  });
});

describe("docs/events.md", () => {
  it("explains every event, and no other, with the level of its log line", () => {
    const [, union = ""] =
      /export type NodeEvent =([\s\S]*?);\n\n/.exec(readSource("src/node/door.ts")) ?? [];
    const types = [...union.matchAll(/readonly type: ([^;}]+)/g)].flatMap((match) =>
      quoted(match[1] ?? "", '"'),
    );
    const rows = [...readSource("docs/events.md").matchAll(/^\| (`[^|]*) \|[^|]*\| ([^|]*) \|/gm)];
    const explained = rows.flatMap((row) => quoted(row[1] ?? "", "`"));
    expect(types.length).toBeGreaterThan(20);
    expect(explained.sort()).toEqual(types.sort());
    for (const [, names = "", levels = ""] of rows) {
      const told = levels.split(", ");
      for (const [at, type] of quoted(names, "`").entries())
        expect([type, told[at] ?? told[0]]).toEqual([type, eventLevel({ type } as NodeEvent)]);
    }
  });
});

describe("docs/limits.md", () => {
  const text = readSource("docs/limits.md");

  it.each(Object.entries(limits))("states %s with its value", (name, value) => {
    const line = text.split("\n").find((candidate) => candidate.includes(`\`${name}\``)) ?? "";
    expect(line, `${name} is in the document`).not.toBe("");
    expect(line.replaceAll(",", "")).toContain(String(value));
  });

  it("names no limit that does not exist", () => {
    const names = [...text.matchAll(/`([A-Z][A-Z_]+_MAX)`/g)].map((match) => match[1]);
    expect(names.filter((name) => !Object.keys(limits).includes(name ?? ""))).toEqual([]);
  });
});

describe("README.md", () => {
  it("lists every flag with its default and meaning, as the help text does", () => {
    const rows = FLAG_NAMES.map((name) => flagRow(name));
    const found = readme.split("\n").filter((line) => /^\| `--/.test(line));
    expect(found).toEqual(rows);
  });

  it("names every command of crema", () => {
    for (const { name } of COMMANDS) expect(readme).toContain(`npx crema ${name}`);
  });

  it("shows code that an example runs", () => {
    const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => (match[1] ?? "").trim());
    expect(snippets.length).toBeGreaterThan(0);
    const programs = readdirSync(`${ROOT}examples`).filter((file) => file.endsWith(".ts"));
    const examples = programs.map((file) => readSource(`examples/${file}`));
    for (const snippet of snippets) {
      expect(
        examples.some((example) => example.includes(snippet)),
        snippet,
      ).toBe(true);
    }
  });
});

describe("a document", () => {
  it.each(documents)("%s shows only commands that are understood", async (file) => {
    for (const line of shellLines(readSource(file))) {
      for (const command of line.split("&&"))
        await expect(understood(command.trim()), command).resolves.toBe(true);
    }
  });

  it.each(documents)("%s names only flags that exist", (file) => {
    const known = new Set<string>([
      ...FLAG_NAMES,
      ...COMMANDS.flatMap(({ flags }) => flags.map(({ name }) => name)),
    ]);
    for (const extra of ["http", "help", "version"]) known.add(extra);
    const named = [...readSource(file).matchAll(/`--([a-z][a-z-]+)/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(documents)("%s links only to what is there", (file) => {
    const links = [...readSource(file).matchAll(/\]\(([^)#]+)[^)]*\)|<img src="([^"]+)"/g)];
    const local = links.map((match) => match[1] ?? match[2] ?? "").filter((link) => !/^https?:/.test(link));
    expect(local.filter((link) => !existsSync(join(ROOT, dirname(file), link)))).toEqual([]);
  });

  it.each(documents)("%s names only source files that are there", (file) => {
    const named = [...readSource(file).matchAll(/`((?:src|cli|test|examples|docs)\/[\w./-]+\.(?:ts|md))`/g)];
    expect(named.map((match) => match[1] ?? "").filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe("the check for commands", () => {
  it.each([
    "npm run nothing",
    "npx crema stats",
    "npx crema status --jsn",
    "npx crema-node --sed a:1",
    "rm -rf /",
  ])("does not understand %s", async (command) => {
    await expect(understood(command)).resolves.toBe(false);
  });
});

/** What stands between pairs of `mark`. */
function quoted(text: string, mark: string): readonly string[] {
  return text.split(mark).filter((_, at) => at % 2 === 1);
}

function flagRow(name: FlagName): string {
  const { placeholder, meaning, defaultText } = FLAGS[name];
  const flag = placeholder === null ? `--${name}` : `--${name} ${placeholder}`;
  return `| \`${flag.replaceAll("|", "\\|")}\` | ${defaultText ?? (placeholder === null ? "off" : "none")} | ${meaning} |`;
}

/** The lines of all shell blocks, without comments and output. */
function shellLines(markdown: string): readonly string[] {
  return [...markdown.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((match) => (match[1] ?? "").split("\n"))
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

async function understood(command: string): Promise<boolean> {
  const [program, ...words] = command.split(/\s+/);
  try {
    switch (program) {
      case "npm":
        return npmUnderstands(words);
      case "npx": {
        const [name = "", ...argv] = words;
        if (!(name in packageJson.bin)) return false;
        if (name === "crema") await readCommandLine(argv);
        else resolveDaemonSettings({ argv, environment: {}, onTerminal: false });
        return true;
      }
      case "redis-cli":
        return words[0] === "-p" && /^\d+$/.test(words[1] ?? "");
      default:
        return false;
    }
  } catch {
    return false;
  }
}

function npmUnderstands([verb = "", ...rest]: readonly string[]): boolean {
  if (verb === "ci") return true;
  if (verb !== "run") return verb in packageJson.scripts;
  const [script = "", dashes, example] = rest;
  if (!(script in packageJson.scripts)) return false;
  return script !== "example" || (dashes === "--" && existsSync(join(ROOT, "examples", `${example}.ts`)));
}
