/**
 * Which code this is, for whoever replays a failure: the commit where the package is a checkout of its own, else its
 * version.
 */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { packageVersion } from "../package-version.ts";

const GIT_TIMEOUT_MS = 3_000;

export function sourceVersion(): string {
  const root = realpathSync(dirname(createRequire(import.meta.url).resolve("crema-node/package.json")));
  const [topLevel, commit] = git(root, ["rev-parse", "--show-toplevel", "HEAD"])?.split("\n") ?? [];
  // Installed in somebody's project, the package lies in their checkout: that commit says nothing about it.
  if (topLevel === undefined || commit === undefined || realpathSync(topLevel) !== root) {
    return `crema-node ${packageVersion()}`;
  }
  const changes = git(root, ["status", "--porcelain", "--", "src", "cli"]);
  return `commit ${commit}${changes === "" ? "" : " with local changes"}`;
}

function git(directory: string, argv: readonly string[]): string | null {
  try {
    return execFileSync("git", ["-C", directory, ...argv], {
      encoding: "utf8",
      timeout: GIT_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    // No git, or no checkout.
    return null;
  }
}
