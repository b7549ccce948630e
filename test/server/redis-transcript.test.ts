/** The recorded answers of Redis against those of this door. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRespDoor, type RespDoorFixture } from "./resp-fixture.ts";

interface Step {
  readonly request: string;
  readonly reply: string;
}

const sections = readTranscript(new URL("redis-transcript.txt", import.meta.url));

function readTranscript(file: URL): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  let steps: Step[] = [];
  const lines = readFileSync(file, "utf8").split("\n");
  for (const [at, line] of lines.entries()) {
    if (line.startsWith("# ")) {
      steps = [];
      found.set(line.slice(2), steps);
    } else if (line.startsWith("> ")) steps.push({ request: line.slice(2), reply: lines[at + 1] ?? "" });
  }
  return new Map([...found].filter(([, { length }]) => length > 0));
}

function printable(bytes: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is made visible here
  return bytes.replace(/[\\\x00-\x1f\x7f-\xff]/g, (char) => {
    if (char === "\\") return "\\\\";
    if (char === "\r") return "\\r";
    if (char === "\n") return "\\n";
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

describe.each(["at-once", "later"] as const)("with answers that come %s", (answers) => {
  let fixture: RespDoorFixture;

  beforeAll(async () => {
    fixture = await openRespDoor({ shards: 1, answers });
  });

  afterAll(() => fixture.close());

  test.each([...sections])("%s: every reply is Redis' own, byte by byte", async (_, steps) => {
    const client = await fixture.connect();
    for (const { request, reply } of steps) {
      client.write(`${request}\r\n`);
      expect(printable(await client.rawReply()), request).toBe(reply);
    }
  });
});

test("the transcript is not empty", () => {
  expect([...sections.values()].flat().length).toBeGreaterThan(450);
});
