/**
 * `crema sim demo` as somebody sees it who pipes it into a file.
 */
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ClusterHttp } from "../../cli/operator/cluster-http.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { DemoView } from "../../cli/sim/demo-view.ts";
import { ANSI, type Colours, PLAIN } from "../../cli/terminal/colours.ts";
import type { NodeState } from "../../src/sim/demo/story.ts";

async function demo(line: string, colours: Colours = PLAIN): Promise<{ code: number; output: string }> {
  const { command, given } = await readCommandLine(["sim", "demo", ...line.split(" ").filter(Boolean)]);
  let output = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  const context = {
    cluster: new ClusterHttp("127.0.0.1:1"),
    colours,
    stdout: stdout as never,
    stdin: process.stdin,
  };
  return { code: await command.run(given, context), output };
}

describe("crema sim demo", () => {
  it("has its five sections, in 100 columns, and ends well", async () => {
    const { code, output } = await demo("");
    expect(code).toBe(0);
    expect(output.match(/^\d\. .*$/gm)).toEqual([
      "1. Election",
      "2. Replication",
      "3. Partition the leader",
      "4. Heal",
      "5. Safety checks",
    ]);
    expect(output).toMatch(/All 5 checks hold: a leader was lost, and no promise was broken\.\n$/);
    expect(output).not.toContain("\u001b");
    expect(Math.max(...output.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(output).not.toMatch(/\n\n\n/);
  });

  it("is the same for equal seeds and another one for others", async () => {
    const [one, again, other] = [await demo("--seed 6"), await demo("--seed 6"), await demo("--seed 7")];
    expect(one).toEqual(again);
    expect(one.output).not.toBe(other.output);
  });

  it("has colours where they are wanted, and the same words", async () => {
    const [plain, colourful] = [await demo("--speed fast"), await demo("--speed fast", ANSI)];
    expect(colourful.output).toContain("\u001b[32m");
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
    expect(colourful.output.replaceAll(escapes, "")).toBe(plain.output);
  });

  it.each([
    ["--speed medium", "--speed: 'medium' is neither fast nor slow"],
    ["--seed x", "--seed: 'x' is not an integer 0 .. 2^64-1"],
    ["--sped fast", "unknown flag --sped of 'sim demo'; did you mean --seed?"],
  ])("refuses %s", async (line, message) => {
    await expect(demo(line)).rejects.toThrow(message);
  });
});

describe("the view of the demo", () => {
  const node = (name: string, term: number): NodeState => ({
    name,
    connected: true,
    replica: { role: "follower", term, lastIndex: 4, commit: 4, applied: 3, leader: null, value: null },
  });

  it("paints what has changed since the last table, and does not repeat one", () => {
    const view = new DemoView({ ...PLAIN, yellow: (text) => `<${text}>` }, 100);
    const first = view.lines({ type: "nodes", atMs: 0, caption: "before", nodes: [node("m1", 1)] });
    expect(first).toEqual([
      "",
      "    0.000 s  before",
      "  NODE  NETWORK  ROLE      TERM  LOG ENDS AT  COMMITTED  APPLIED  LEADER   COFFEE",
      "  m1    ok       follower     1            4          4        3  unknown  -",
    ]);
    const same = view.lines({ type: "nodes", atMs: 1, caption: "before", nodes: [node("m1", 1)] });
    expect(same).toEqual(["", "    0.001 s  before: as above"]);
    const changed = view.lines({ type: "nodes", atMs: 2, caption: "after", nodes: [node("m1", 2)] });
    expect(changed[3]).toBe("  m1    ok       follower  <   2>            4          4        3  unknown  -");
  });

  it("says in red what does not hold", () => {
    const view = new DemoView({ ...PLAIN, red: (text) => `!${text}!` }, 100);
    expect(view.lines({ type: "check", holds: false, claim: "the logs are equal", evidence: "m1" })).toEqual([
      "",
      "  !BROKEN!  the logs are equal              m1",
    ]);
    const verdict = view.lines({
      type: "verdict",
      atMs: 5,
      holds: false,
      text: "1 of 5 checks does not hold.",
    });
    expect(verdict).toEqual(["", "    0.005 s  !1 of 5 checks does not hold.!"]);
  });
});
