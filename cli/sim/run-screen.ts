/**
 * What `crema sim run` shows while seeds run.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { Colours } from "../terminal/colours.ts";
import { ProgressScreen } from "../terminal/progress-screen.ts";
import type { Campaign } from "./campaign.ts";
import { type Progress, progressLines, progressText } from "./progress-view.ts";
import { shrinkText } from "./report-view.ts";
import { failureLines } from "./summary-view.ts";

/** Failures shown as they come; the summary lists more. */
const FAILURES_AT_ONCE_MAX = 5;

export class RunScreen {
  readonly #colours: Colours;
  readonly #screen: ProgressScreen;
  #failures = 0;
  #shrunk = "";

  constructor(stdout: NodeJS.WriteStream, colours: Colours, silent: boolean) {
    this.#colours = colours;
    this.#screen = new ProgressScreen(stdout, silent);
  }

  /** Lines that stay. */
  print(lines: readonly string[]): void {
    this.#screen.print(lines);
  }

  /** The one thing that is written when JSON was asked for. */
  document(text: string): void {
    this.#screen.document(text);
  }

  /** Shows how far `campaign` is until {@link end}. */
  follow(campaign: Campaign): void {
    this.#screen.follow({
      lines: () => progressLines(progressOf(campaign), this.#colours),
      text: () => progressText(progressOf(campaign)),
    });
  }

  /** Says at once that a seed failed. */
  reported(report: RunReport): void {
    if (report.failure === null || ++this.#failures > FAILURES_AT_ONCE_MAX) return;
    this.print(["", ...failureLines(report, this.#colours)]);
  }

  /** On a pipe only when there is news: it is told of every try. */
  shrinking(tries: number, options: RunOptions): void {
    const text = shrinkText(tries, options);
    const news = text.slice(text.indexOf(":"));
    if (this.#screen.isTerminal) this.#screen.draw([text]);
    else if (news !== this.#shrunk) this.print([text]);
    this.#shrunk = news;
  }

  /** Stops drawing; the block gives way to what is printed next. */
  end(): void {
    this.#screen.end();
  }
}

function progressOf({ plan, tally, elapsedMs }: Campaign): Progress {
  const { done, failed, events, virtualMs } = tally;
  return { seeds: plan.seeds, done, failed, events, virtualMs, elapsedMs };
}
