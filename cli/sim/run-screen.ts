/**
 * Where `crema sim run` writes: a block that redraws itself on a terminal, a line now and then on a pipe, nothing but
 * the document when JSON was asked for.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { Colours } from "../terminal/colours.ts";
import { Screen } from "../terminal/screen.ts";
import type { Campaign } from "./campaign.ts";
import { type Progress, progressLines, progressText } from "./progress-view.ts";
import { shrinkText } from "./report-view.ts";
import { failureLines } from "./summary-view.ts";

const TERMINAL_INTERVAL_MS = 200;
const PIPE_INTERVAL_MS = 5_000;
/** Failures shown as they come; the summary lists more. */
const FAILURES_AT_ONCE_MAX = 5;

export class RunScreen {
  readonly #stdout: NodeJS.WriteStream;
  readonly #colours: Colours;
  readonly #silent: boolean;
  readonly #screen: Screen | null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #shrunk = "";

  constructor(stdout: NodeJS.WriteStream, colours: Colours, silent: boolean) {
    this.#stdout = stdout;
    this.#colours = colours;
    this.#silent = silent;
    this.#screen = stdout.isTTY && !silent ? new Screen(stdout) : null;
  }

  /** Lines that stay. */
  print(lines: readonly string[]): void {
    if (this.#silent) return;
    if (this.#screen !== null) this.#screen.print(lines);
    else this.#stdout.write(`${lines.join("\n")}\n`);
  }

  /** The one thing that is written when JSON was asked for. */
  document(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  /** Shows how far `campaign` is until {@link end}. */
  follow(campaign: Campaign): void {
    if (this.#silent) return;
    const show = (): void => {
      const progress = progressOf(campaign);
      if (this.#screen !== null) this.#screen.draw(progressLines(progress, this.#colours));
      else this.print([progressText(progress)]);
    };
    if (this.#screen !== null) show();
    this.#timer = setInterval(show, this.#screen === null ? PIPE_INTERVAL_MS : TERMINAL_INTERVAL_MS);
  }

  /** Says at once that a seed failed. */
  reported(report: RunReport): void {
    if (report.failure === null || ++this.#failures > FAILURES_AT_ONCE_MAX) return;
    this.print(["", ...failureLines(report, this.#colours)]);
  }

  shrinking(tries: number, options: RunOptions): void {
    if (this.#silent) return;
    const text = shrinkText(tries, options);
    const news = text.slice(text.indexOf(":"));
    if (this.#screen !== null) this.#screen.draw([text]);
    else if (news !== this.#shrunk) this.print([text]);
    this.#shrunk = news;
  }

  /** Stops drawing; the block gives way to what is printed next. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function progressOf({ plan, tally, elapsedMs }: Campaign): Progress {
  const { done, failed, events, virtualMs } = tally;
  return { seeds: plan.seeds, done, failed, events, virtualMs, elapsedMs };
}
