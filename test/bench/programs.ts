/**
 * The programs of others that we compare with, where they are installed.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { ClusterKind } from "./clusters/cluster.ts";

export interface Program {
  readonly name: string;
  readonly package: string;
  /** null: not installed. */
  readonly path: string | null;
  /** As it tells it itself; empty when it is not installed. */
  readonly version: string;
}

export interface Programs {
  readonly etcd: Program;
  readonly redis: Program;
}

export function findPrograms(): Programs {
  return {
    etcd: describe("etcd", "etcd-server"),
    redis: describe("redis-server", "redis-server"),
  };
}

/** The program that a cluster of this kind needs; null when it needs none. */
export function programOf(kind: ClusterKind, programs: Programs): Program | null {
  if (kind === "etcd") return programs.etcd;
  return kind === "redis" || kind === "redis-durable" ? programs.redis : null;
}

function describe(name: string, packageName: string): Program {
  const path = onPath(name);
  const version = path === null ? "" : execFileSync(path, ["--version"], { encoding: "utf8" });
  return { name, package: packageName, path, version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? version.trim() };
}

function onPath(name: string): string | null {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return null;
}
