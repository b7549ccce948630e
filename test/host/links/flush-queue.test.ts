/**
 * When bytes leave: at the end of the turn, all at once, and never not at all.
 */
import { expect, test } from "vitest";
import { FlushQueue } from "../../../src/host/links/flush-queue.ts";
import type { Clock } from "../../../src/host/ports.ts";

/** The ends of turns, one call after the other. */
class Turns {
  readonly #deferred: (() => void)[] = [];
  readonly clock = { defer: (call: () => void) => this.#deferred.push(call) } as unknown as Clock;

  end(): void {
    for (const call of this.#deferred.splice(0)) call();
  }

  later(call: () => void): void {
    this.#deferred.push(call);
  }
}

function queue() {
  const turns = new Turns();
  const flushes = new FlushQueue(turns.clock);
  const flushed: string[] = [];
  const write = (name: string) => flushes.add({ flush: () => flushed.push(name) });
  return { turns, flushes, flushed, write };
}

test("what is written leaves at the end of its turn", () => {
  const { turns, flushed, write } = queue();
  write("a");
  write("b");
  expect(flushed).toEqual([]);
  turns.end();
  expect(flushed).toEqual(["a", "b"]);
  turns.end();
  expect(flushed).toEqual(["a", "b"]);
});

test("it waits for whoever writes later in that turn, and leaves with that", () => {
  const { turns, flushes, flushed, write } = queue();
  write("request");
  flushes.awaitWriter();
  let before: readonly string[] = ["nothing is known"];
  turns.later(() => {
    before = [...flushed];
    write("entries");
    flushes.flush();
  });
  turns.end();
  expect(before).toEqual([]);
  expect(flushed).toEqual(["request", "entries"]);
});

test("after that nobody is waited for", () => {
  const { turns, flushes, flushed, write } = queue();
  flushes.awaitWriter();
  flushes.flush();
  write("alone");
  turns.end();
  expect(flushed).toEqual(["alone"]);
});
