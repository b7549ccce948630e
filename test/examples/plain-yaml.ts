/**
 * The plain part of YAML that the files in `examples/` keep to: block mappings and sequences, flow sequences of scalars, quoted and plain
 * scalars of one line, `|` and `>-` texts, comments, several documents. Whatever else YAML allows is refused, so that
 * nothing is read otherwise than the tools of users read it.
 */

export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
}

/** The documents in `text`. Throws `SyntaxError` with the line for what is not plain. */
export function readYaml(text: string): readonly Yaml[] {
  const lines = text.split("\n").map((line, at): Line => {
    const indent = line.length - line.trimStart().length;
    return { indent, text: line.trim(), number: at + 1 };
  });
  const starts = lines.flatMap(({ text, indent }, at) => (text === "---" && indent === 0 ? [at] : []));
  const bounds = [-1, ...starts, lines.length];
  return bounds
    .slice(1)
    .map((end, at) => new DocumentReader(lines.slice((bounds[at] ?? 0) + 1, end)).read())
    .filter((document) => document !== undefined);
}

class DocumentReader {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  /** undefined for a document of nothing but comments. */
  read(): Yaml | undefined {
    const first = this.#peek();
    if (first === null) return undefined;
    const value = this.#block(first.indent);
    const rest = this.#peek();
    if (rest !== null) throw failure(rest, "is indented like nothing before it");
    return value;
  }

  /** The next line that says something. */
  #peek(): Line | null {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at];
      if (line !== undefined && line.text !== "" && !line.text.startsWith("#")) return line;
    }
    return null;
  }

  #block(indent: number): Yaml {
    const line = this.#peek();
    if (line === null) return null;
    return line.text.startsWith("- ") ? this.#sequence(indent) : this.#mapping(indent);
  }

  #sequence(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.#peek(); line !== null && line.indent === indent; line = this.#peek()) {
      if (!line.text.startsWith("- ")) throw failure(line, "is no item of the sequence around it");
      const text = line.text.slice(2).trim();
      if (keyOf(text) === null) {
        this.#at++;
        items.push(scalar(text, line));
      } else {
        // A mapping that begins on the line of its dash: read on as if the dash were blank.
        items.push(this.#mapping(indent + 2, { ...line, indent: indent + 2, text }));
      }
    }
    return items;
  }

  #mapping(indent: number, begin: Line | null = null): Yaml {
    const entries = new Map<string, Yaml>();
    for (let line = begin ?? this.#peek(); line !== null && line.indent === indent; line = this.#peek()) {
      const found = keyOf(line.text);
      if (found === null) throw failure(line, "has no key");
      if (entries.has(found.key)) throw failure(line, `names ${found.key} twice`);
      this.#at++;
      entries.set(found.key, this.#value(found.rest, line, indent));
    }
    return Object.fromEntries(entries);
  }

  #value(rest: string, line: Line, indent: number): Yaml {
    if (rest === "|") return `${this.#text(indent).join("\n")}\n`;
    if (rest === ">-") return this.#text(indent).join(" ");
    if (rest !== "") return scalar(rest, line);
    const next = this.#peek();
    const isInside =
      next !== null && (next.indent > indent || (next.indent === indent && next.text.startsWith("- ")));
    return isInside ? this.#block(next.indent) : null;
  }

  /** The lines of a text inside `indent`, without their common indentation and the empty ones behind it. */
  #text(indent: number): readonly string[] {
    const found: Line[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at];
      if (line === undefined || (line.text !== "" && line.indent <= indent)) break;
      found.push(line);
    }
    while (found.at(-1)?.text === "") found.pop();
    const common = Math.min(...found.filter(({ text }) => text !== "").map((line) => line.indent));
    return found.map(({ text, indent: own }) => (text === "" ? "" : " ".repeat(own - common) + text));
  }
}

function keyOf(text: string): { readonly key: string; readonly rest: string } | null {
  const match = /^([\w./-]+):(?:\s+(.*))?$/.exec(text);
  if (match === null) return null;
  const rest = match[2] ?? "";
  return { key: match[1] ?? "", rest: rest.startsWith("#") ? "" : rest };
}

function scalar(text: string, line: Line): Yaml {
  if (text.startsWith("[")) {
    if (!text.endsWith("]")) throw failure(line, "does not end its list");
    const inside = text.slice(1, -1).trim();
    const items = inside === "" ? [] : inside.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);
    return items.map((item) => scalar(item.trim(), line));
  }
  const double = /^"([^"\\]*)"$/.exec(text);
  if (double !== null) return double[1] ?? "";
  if (/^["'&*!{}[\]|>%@`]/.test(text) || text.includes(" #") || text.includes(": "))
    throw failure(line, `is not plain: ${text}`);
  if (text === "true" || text === "false") return text === "true";
  if (text === "null" || text === "~") return null;
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function failure(line: Line, what: string): SyntaxError {
  return new SyntaxError(`line ${line.number} ${what}`);
}
