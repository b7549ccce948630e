/**
 * Splits an inline request, the form a person types into telnet, into its arguments: words, "double quoted" with
 * escapes, 'single quoted'. The rules are those of redis-cli and of Redis' own inline requests.
 */

/** The arguments of `line` (a binary string without its line end), or null when its quotes do not balance. */
export function splitInlineArguments(line: string): string[] | null {
  const found: string[] = [];
  let at = 0;
  while (true) {
    while (at < line.length && isSpace(line.charCodeAt(at))) at++;
    if (at >= line.length) return found;
    let word = "";
    while (at < line.length && !isSpace(line.charCodeAt(at))) {
      const quote = line[at];
      if (quote !== '"' && quote !== "'") {
        word += line[at++];
        continue;
      }
      const end = closingQuote(line, at);
      // A closing quote ends the argument: what follows must be space or nothing.
      if (end < 0 || (end + 1 < line.length && !isSpace(line.charCodeAt(end + 1)))) return null;
      const inner = line.slice(at + 1, end);
      word += quote === '"' ? unescapeDouble(inner) : inner.replaceAll("\\'", "'");
      at = end + 1;
    }
    found.push(word);
  }
}

/** Where the quote opened at `open` closes, or -1. */
function closingQuote(line: string, open: number): number {
  const quote = line[open];
  for (let at = open + 1; at < line.length; at++) {
    if (line[at] === quote) return at;
    if (line[at] === "\\" && (quote === '"' || line[at + 1] === "'")) at++;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

function unescapeDouble(inner: string): string {
  return inner.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** C's isspace, and NUL, which ends a line for Redis. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0;
}
