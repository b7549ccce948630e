/**
 * Folders for the disks of machines, gone with the test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Call inside a test, before what writes there is made: it must end first. Returns the path of the disk of machine `n`. */
export function makeDisks(): (machine: number | string) => string {
  const root = mkdtempSync(join(tmpdir(), "crema-chaos-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return (machine) => join(root, String(machine));
}
