import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseTranscript, Transcript } from "./transcript.ts";

const FOLDER = new URL("../scenarios/", import.meta.url);
/** Set to write down what happens now; then read the difference, line by line. */
const rewrite = process.env.REWRITE_SCENARIOS === "1";

describe("scenario", () => {
  const files = readdirSync(FOLDER).filter((file) => file.startsWith("raft-"));

  test.each(files)("%s happens as written", (file) => {
    const transcript = new Transcript();
    const blocks = parseTranscript(readFileSync(new URL(file, FOLDER), "utf8"));
    const written: string[] = [];
    for (const { line, preface, command, expected } of blocks) {
      const happened = transcript.run(command);
      if (!rewrite) expect(happened, `${file}:${line} ${command}`).toBe(expected);
      written.push(
        `${preface.trimStart() === "" ? "" : `${preface.trimStart()}\n`}${command}\n----\n${happened}\n`,
      );
    }
    if (rewrite) writeFileSync(new URL(file, FOLDER), written.join("\n"));
  });

  test("files are all there", () => {
    expect(files.length).toBeGreaterThanOrEqual(11);
  });
});
