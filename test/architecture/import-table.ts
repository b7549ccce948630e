/**
 * Who may import whom. Whatever is not listed is forbidden.
 */
import { posix } from "node:path";
import { importedModules } from "./imports.ts";

/** What the files of one room may import. */
export interface Allowance {
  /** Other rooms, or single files of them ("host/ports.ts"). A room may always import itself. */
  readonly rooms: readonly string[];
  /** `all`, `none`, or the modules of Node.js that are allowed. */
  readonly node: "all" | readonly string[];
  /** Packages from the registry. */
  readonly packages: readonly string[];
}

const PURE = ["base", "raft", "swim", "cache", "placement"];
const UP_TO_WIRE = [...PURE, "wire"];
const UP_TO_HOST = [...UP_TO_WIRE, "host"];
const UP_TO_NODE = [...UP_TO_HOST, "cluster", "node"];

/** Rooms are folders of `src`, or the single files beside them; `cli` and `examples` stand for themselves. */
export const IMPORT_TABLE: Readonly<Record<string, Allowance>> = Object.freeze({
  base: { rooms: [], node: [], packages: [] },
  raft: { rooms: ["base"], node: [], packages: [] },
  swim: { rooms: ["base"], node: [], packages: [] },
  cache: { rooms: ["base"], node: [], packages: [] },
  placement: { rooms: ["base"], node: [], packages: ["xxhash-wasm"] },
  // Of `node:zlib` the checksum, which is a pure function.
  wire: { rooms: PURE, node: ["node:buffer", "node:zlib"], packages: ["msgpackr", "lz4-wasm-nodejs"] },
  host: { rooms: UP_TO_WIRE, node: [], packages: [] },
  cluster: { rooms: UP_TO_HOST, node: [], packages: [] },
  node: { rooms: [...UP_TO_HOST, "cluster"], node: [], packages: [] },
  net: { rooms: ["base", "wire", "host/ports.ts"], node: "all", packages: [] },
  disk: { rooms: ["base", "wire", "raft/entry.ts", "host/ports.ts"], node: "all", packages: ["level"] },
  // Of the cache the doors know the words (what can be asked and answered), never the machine.
  server: {
    rooms: ["base", "wire", "node", "cache/command.ts", "cache/query.ts", "cache/reply.ts"],
    node: "all",
    packages: ["fastify", "prom-client"],
  },
  sim: { rooms: UP_TO_NODE, node: [], packages: [] },
  "open-node": { rooms: [...UP_TO_NODE, "net", "disk", "server"], node: "all", packages: [] },
  index: { rooms: [...UP_TO_NODE, "open-node"], node: [], packages: [] },
  // The files of backups are written and read by the command, in the words of the wire.
  cli: {
    rooms: ["index", "sim", "wire/backup-codec.ts", "wire/backup-reader.ts"],
    node: "all",
    packages: ["yargs", "pino", "pino-pretty"],
  },
  examples: { rooms: [], node: "all", packages: ["crema-node"] },
});

/** Why `source`, the text of `file`, breaks the table; empty when it does not. */
export function violations(
  file: string,
  source: string,
  table: Readonly<Record<string, Allowance>> = IMPORT_TABLE,
): readonly string[] {
  const room = roomOf(file);
  const allowance = table[room];
  if (allowance === undefined) return [`${file}: room '${room}' is not in the table`];
  return importedModules(source).flatMap((module) => {
    const reason = forbidden(file, room, module, allowance);
    return reason === null ? [] : [`${file}: ${reason}`];
  });
}

function forbidden(file: string, room: string, module: string, allowance: Allowance): string | null {
  if (module.startsWith(".")) {
    const target = posix.normalize(posix.join(posix.dirname(file), module));
    if (!target.endsWith(".ts") && !module.includes("${")) return `'${module}' lacks its extension`;
    const targetRoom = roomOf(target);
    const allowed = [room, ...allowance.rooms].some(
      (each) => each === targetRoom || target === `src/${each}`,
    );
    return allowed ? null : `'${room}' must not import '${target}'`;
  }
  if (module.startsWith("node:")) {
    const allowed = allowance.node === "all" || allowance.node.includes(module);
    return allowed ? null : `'${room}' must not import '${module}'`;
  }
  const scoped = module.startsWith("@");
  const name = module.split("/", scoped ? 2 : 1).join("/");
  return allowance.packages.includes(name) ? null : `'${room}' must not import the package '${name}'`;
}

/** `src/raft/log.ts` is in room raft, `src/index.ts` in room index, `cli/a/b.ts` in room cli. */
function roomOf(file: string): string {
  const parts = file.split("/");
  const name = parts[0] === "src" ? parts[1] : parts[0];
  return (name ?? "").replace(/\.ts$/, "");
}
