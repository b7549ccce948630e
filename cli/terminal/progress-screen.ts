/**
 * Where commands that take a while write: a block that redraws itself on a terminal, a line now and then on a pipe, nothing
 * but the document when JSON was asked for.
 */
import { Screen } from "./screen.ts";

const TERMINAL_INTERVAL_MS = 200;
const PIPE_INTERVAL_MS = 5_000;

/** How far something is: for a terminal, and in a line. */
export interface ProgressView {
  lines(): readonly string[];
  text(): string;
}

export class ProgressScreen {
  readonly #stdout: NodeJS.WriteStream;
  readonly #silent: boolean;
  readonly #screen: Screen | null;
  #timer: NodeJS.Timeout | null = null;

  /** `silent`: JSON was asked for. */
  constructor(stdout: NodeJS.WriteStream, silent: boolean) {
    this.#stdout = stdout;
    this.#silent = silent;
    this.#screen = stdout.isTTY && !silent ? new Screen(stdout) : null;
  }

  get isTerminal(): boolean {
    return this.#screen !== null;
  }

  /** Lines that stay. */
  print(lines: readonly string[]): void {
    if (this.#silent) return;
    if (this.#screen !== null) this.#screen.print(lines);
    else this.#stdout.write(`${lines.join("\n")}\n`);
  }

  /** Lines that give way to the next ones; on a terminal only. */
  draw(lines: readonly string[]): void {
    this.#screen?.draw(lines);
  }

  /** The one thing that is written when JSON was asked for. */
  document(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  /** Shows `view` again and again until {@link end}. */
  follow(view: ProgressView): void {
    if (this.#silent) return;
    if (this.#screen === null) {
      this.#timer = setInterval(() => this.print([view.text()]), PIPE_INTERVAL_MS);
      return;
    }
    this.draw(view.lines());
    this.#timer = setInterval(() => this.draw(view.lines()), TERMINAL_INTERVAL_MS);
  }

  /** Stops drawing; the block gives way to what is printed next. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
