/**
 * The programs of others that we compare with, where they are installed.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Side } from "./rows.ts";

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
  readonly redisBenchmark: Program;
}

export function findPrograms(): Programs {
  return {
    etcd: describe("etcd", "etcd-server"),
    redis: describe("redis-server", "redis-server"),
    redisBenchmark: describe("redis-benchmark", "redis-tools"),
  };
}

/** What `side` needs and is not installed. */
export function missingFor({ cluster, work }: Side, programs: Programs): readonly Program[] {
  const needed = [
    ...(cluster === "etcd" ? [programs.etcd] : []),
    ...(cluster === "redis" || cluster === "redis-durable" ? [programs.redis] : []),
    ...(work.type === "redis-benchmark" ? [programs.redisBenchmark] : []),
  ];
  return needed.filter(({ path }) => path === null);
}

/** Throws when it is not installed. */
export function pathOf({ name, path, package: packageName }: Program): string {
  if (path === null) throw new Error(`${name} is not installed: apt-get install -y ${packageName}`);
  return path;
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
