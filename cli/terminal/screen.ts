/**
 * A block of lines that is drawn over itself on a terminal: what changes changes in place, what was above stays.
 */

const ESCAPE = "\u001b[";
const COLOUR_SEQUENCE = new RegExp(`(${ESCAPE.replace("[", "\\[")}[0-9;]*m)`);

export interface ScreenStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export class Screen {
  readonly #stream: ScreenStream;
  #drawnLines = 0;

  constructor(stream: ScreenStream) {
    this.#stream = stream;
  }

  /** Replaces the block by `lines`; what does not fit the window is cut off. */
  draw(lines: readonly string[]): void {
    // A terminal that was told no size says 0.
    const rows = Math.max(1, (this.#stream.rows || 24) - 1);
    const columns = this.#stream.columns || 80;
    const fitting = lines.slice(0, rows).map((line) => cutToWidth(line, columns));
    this.#stream.write(`${this.#rewind()}${fitting.join("\n")}\n`);
    this.#drawnLines = fitting.length;
  }

  /** Writes lines that stay, above a block that will be drawn afresh. */
  print(lines: readonly string[]): void {
    this.#stream.write(`${this.#rewind()}${lines.join("\n")}\n`);
    this.#drawnLines = 0;
  }

  #rewind(): string {
    return this.#drawnLines === 0 ? "" : `${ESCAPE}${this.#drawnLines}F${ESCAPE}J`;
  }
}

/** Cuts `line` to `columns` visible characters; colour sequences take no room and are kept. */
export function cutToWidth(line: string, columns: number): string {
  let visible = 0;
  let cut = "";
  for (const part of line.split(COLOUR_SEQUENCE)) {
    if (part.startsWith(ESCAPE)) {
      cut += part;
      continue;
    }
    const kept = part.slice(0, Math.max(0, columns - visible));
    visible += part.length;
    cut += kept;
  }
  return cut;
}
