/**
 * The unit for systemd: what systemd says of it, and what it promises about the process it runs.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { ROOT, readSource } from "../architecture/imports.ts";
import { heapBytesOf, readEnvironmentFile, settingsOf } from "./example-settings.ts";

const UNIT = "examples/systemd/crema-node.service";
const unit = readSource(UNIT);
const durable = readSource("examples/systemd/durable.conf");
const environment = readEnvironmentFile(readSource("examples/systemd/crema-node.env"));
const hasAnalyzer = spawnSync("systemd-analyze", ["--version"]).status === 0;

const valueIn = (text: string, name: string): string =>
  new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? `${name} is not set`;

describe("the unit for systemd", () => {
  it.for(["alone", "with durable.conf"])(
    "%s is understood by systemd in every line",
    { timeout: 30_000 },
    async (what, { skip }) => {
      if (!hasAnalyzer) skip("there is no systemd-analyze here");
      const folder = mkdtempSync(join(tmpdir(), "crema-unit-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, "crema-node.service");
      // The program need not be installed where this test runs.
      writeFileSync(path, unit.replace(/^ExecStart=.*$/m, `ExecStart=${process.execPath}`));
      if (what.includes("durable")) {
        mkdirSync(`${path}.d`);
        cpSync(`${ROOT}examples/systemd/durable.conf`, join(`${path}.d`, "durable.conf"));
      }
      const { stderr } = await promisify(execFile)("systemd-analyze", ["verify", path]);
      expect(stderr.split("\n").filter((line) => line.includes("crema-node"))).toEqual([]);
    },
  );

  it("gives the drain more time than it takes", () => {
    const { node } = settingsOf(environment);
    expect(Number(valueIn(unit, "TimeoutStopSec")) * 1_000).toBeGreaterThan(
      (node.drainTimeoutMs ?? 0) + 5_000,
    );
    expect(valueIn(unit, "KillSignal")).toBe("SIGTERM");
  });

  it("starts a node again that failed, and not one that was told to leave or has a setting that is none", () => {
    expect(valueIn(unit, "Restart")).toBe("on-failure");
    const run = spawnSync(process.execPath, [`${ROOT}dist/cli/crema-node.js`, "--sed", "a:1"]);
    expect(valueIn(unit, "RestartPreventExitStatus")).toBe(String(run.status));
  });

  it("has settings that crema-node takes, and a heap for what it may hold", () => {
    const { node, warnings } = settingsOf(environment);
    expect(warnings).toEqual([]);
    expect(node).toMatchObject({ host: "0.0.0.0", insecure: true, advertise: "a.example" });
    expect(heapBytesOf(environment)).toBeGreaterThanOrEqual(2 * (node.maxMemoryBytes ?? 0));
  });

  it("keeps the data of a durable node where systemd makes its folder", () => {
    const [, data] = /^Environment=CREMA_DATA_DIR=(.*)$/m.exec(durable) ?? [];
    expect(data).toBe(`/var/lib/${valueIn(durable, "StateDirectory")}`);
    expect(settingsOf({ CREMA_DATA_DIR: data ?? "", CREMA_DEAD_GRACE: "10m" }).node.deadGraceMs).toBe(
      600_000,
    );
  });
});
