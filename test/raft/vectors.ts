/**
 * Reads the data-driven test files of etcd's raft: a command line with `key=value` arguments, input lines, `----`, and the answer up to
 * the next blank line. Comments start with `#`.
 */

export interface VectorCase {
  /** The file's line number of the command. */
  readonly line: number;
  readonly command: string;
  readonly args: Readonly<Record<string, string>>;
  readonly input: readonly string[];
  readonly expected: readonly string[];
}

export function parseVectors(text: string): VectorCase[] {
  const lines = text.split("\n");
  const cases: VectorCase[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || line.startsWith("#")) {
      at++;
      continue;
    }
    const first = at + 1;
    const [command = "", rest = ""] = splitOnce(line.trim(), " ");
    const args: Record<string, string> = {};
    for (const match of rest.matchAll(/(\w+)=(\([^)]*\)|\S+)/g)) args[match[1] ?? ""] = match[2] ?? "";
    const input: string[] = [];
    for (at++; at < lines.length && lines[at] !== "----"; at++) input.push(lines[at] ?? "");
    const expected: string[] = [];
    for (at++; at < lines.length && (lines[at] ?? "").trim() !== ""; at++) expected.push(lines[at] ?? "");
    cases.push({ line: first, command, args, input, expected });
  }
  return cases;
}

/** The items of `(1, 2,3)`. */
export function listOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  return text
    .replace(/[()]/g, "")
    .split(/[\s,]+/)
    .filter((item) => item !== "");
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
