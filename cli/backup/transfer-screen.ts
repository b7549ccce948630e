/**
 * Where `crema backup` and `crema restore` write: a bar that redraws itself on a terminal, a line now and then on a pipe,
 * nothing but the document when JSON was asked for.
 */
import type { Colours } from "../terminal/colours.ts";
import { Screen } from "../terminal/screen.ts";
import { type TransferProgress, transferLines, transferText } from "./transfer-view.ts";

const TERMINAL_INTERVAL_MS = 200;
const PIPE_INTERVAL_MS = 5_000;

export class TransferScreen {
  readonly #stdout: NodeJS.WriteStream;
  readonly #colours: Colours;
  readonly #silent: boolean;
  readonly #screen: Screen | null;

  constructor(stdout: NodeJS.WriteStream, colours: Colours, silent: boolean) {
    this.#stdout = stdout;
    this.#colours = colours;
    this.#silent = silent;
    this.#screen = stdout.isTTY && !silent ? new Screen(stdout) : null;
  }

  /** A line that stays. */
  print(line: string): void {
    if (this.#silent) return;
    if (this.#screen !== null) this.#screen.print([line]);
    else this.#stdout.write(`${line}\n`);
  }

  /** The one thing that is written when JSON was asked for. */
  document(value: object): void {
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Shows what `progress` answers while `work` goes on. */
  async during<Result>(progress: () => TransferProgress, work: () => Promise<Result>): Promise<Result> {
    if (this.#silent) return await work();
    const show = (): void => {
      if (this.#screen !== null) this.#screen.draw(transferLines(progress(), this.#colours));
      else this.#stdout.write(`${transferText(progress())}\n`);
    };
    if (this.#screen !== null) show();
    const timer = setInterval(show, this.#screen === null ? PIPE_INTERVAL_MS : TERMINAL_INTERVAL_MS);
    try {
      const result = await work();
      if (this.#screen !== null) show();
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}
