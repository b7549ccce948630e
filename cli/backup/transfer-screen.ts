/**
 * What `crema backup` and `crema restore` show while they work.
 */
import type { Colours } from "../terminal/colours.ts";
import { ProgressScreen } from "../terminal/progress-screen.ts";
import { type TransferProgress, transferLines, transferText } from "./transfer-view.ts";

export class TransferScreen {
  readonly #colours: Colours;
  readonly #screen: ProgressScreen;

  constructor(stdout: NodeJS.WriteStream, colours: Colours, silent: boolean) {
    this.#colours = colours;
    this.#screen = new ProgressScreen(stdout, silent);
  }

  /** A line that stays. */
  print(line: string): void {
    this.#screen.print([line]);
  }

  /** The one thing that is written when JSON was asked for. */
  document(value: object): void {
    this.#screen.document(JSON.stringify(value, null, 2));
  }

  /** Shows what `progress` answers while `work` goes on. */
  async during<Result>(progress: () => TransferProgress, work: () => Promise<Result>): Promise<Result> {
    const lines = (): readonly string[] => transferLines(progress(), this.#colours);
    this.#screen.follow({ lines, text: () => transferText(progress()) });
    try {
      const result = await work();
      this.#screen.draw(lines());
      return result;
    } finally {
      this.#screen.end();
    }
  }
}
