/**
 * All commands of the RESP door by name. Looking one up allocates nothing for names in lower or upper case, which is
 * what clients send.
 */

import type { CommandSpec } from "./command-spec.ts";
import { APPEND } from "./commands/append.ts";
import { AUTH } from "./commands/auth.ts";
import { CLIENT } from "./commands/client.ts";
import { COMMAND } from "./commands/command.ts";
import { CONFIG } from "./commands/config.ts";
import { DBSIZE } from "./commands/dbsize.ts";
import { DEL, UNLINK } from "./commands/del.ts";
import { ECHO } from "./commands/echo.ts";
import { EXISTS, TOUCH } from "./commands/exists.ts";
import { EXPIRE, EXPIREAT, PEXPIRE, PEXPIREAT } from "./commands/expire.ts";
import { FLUSHALL, FLUSHDB } from "./commands/flush.ts";
import { GET } from "./commands/get.ts";
import { GETDEL } from "./commands/getdel.ts";
import { GETEX } from "./commands/getex.ts";
import { GETRANGE, SUBSTR } from "./commands/getrange.ts";
import { GETSET } from "./commands/getset.ts";
import { HELLO } from "./commands/hello.ts";
import { INCRBYFLOAT } from "./commands/incrbyfloat.ts";
import { DECR, DECRBY, INCR, INCRBY } from "./commands/increment.ts";
import { INFO } from "./commands/info.ts";
import { KEYS } from "./commands/keys.ts";
import { MGET } from "./commands/mget.ts";
import { MSET, MSETNX } from "./commands/mset.ts";
import { PERSIST } from "./commands/persist.ts";
import { PING } from "./commands/ping.ts";
import { QUIT } from "./commands/quit.ts";
import { RANDOMKEY } from "./commands/randomkey.ts";
import { READONLY, READWRITE } from "./commands/readonly.ts";
import { RENAME, RENAMENX } from "./commands/rename.ts";
import { RESET } from "./commands/reset.ts";
import { SCAN } from "./commands/scan.ts";
import { SELECT } from "./commands/select.ts";
import { SET } from "./commands/set.ts";
import { PSETEX, SETEX, SETNX } from "./commands/set-variants.ts";
import { SETRANGE } from "./commands/setrange.ts";
import { STRLEN } from "./commands/strlen.ts";
import { TIME } from "./commands/time.ts";
import { EXPIRETIME, PEXPIRETIME, PTTL, TTL } from "./commands/ttl.ts";
import { TYPE } from "./commands/type.ts";
import { WAIT } from "./commands/wait.ts";

/** A command in its place. */
export interface CommandEntry {
  readonly spec: CommandSpec;
  /** 0 .. number of commands - 1; where its counters are. */
  readonly index: number;
  readonly writes: boolean;
}

/** Every command, in alphabetical order. */
export const COMMAND_SPECS: readonly CommandSpec[] = Object.freeze([
  APPEND,
  AUTH,
  CLIENT,
  COMMAND,
  CONFIG,
  DBSIZE,
  DECR,
  DECRBY,
  DEL,
  ECHO,
  EXISTS,
  EXPIRE,
  EXPIREAT,
  EXPIRETIME,
  FLUSHALL,
  FLUSHDB,
  GET,
  GETDEL,
  GETEX,
  GETRANGE,
  GETSET,
  HELLO,
  INCR,
  INCRBY,
  INCRBYFLOAT,
  INFO,
  KEYS,
  MGET,
  MSET,
  MSETNX,
  PERSIST,
  PEXPIRE,
  PEXPIREAT,
  PEXPIRETIME,
  PING,
  PSETEX,
  PTTL,
  QUIT,
  RANDOMKEY,
  READONLY,
  READWRITE,
  RENAME,
  RENAMENX,
  RESET,
  SCAN,
  SELECT,
  SET,
  SETEX,
  SETNX,
  SETRANGE,
  STRLEN,
  SUBSTR,
  TIME,
  TOUCH,
  TTL,
  TYPE,
  UNLINK,
  WAIT,
]);

/** Finds commands by the name a client sent. */
export class CommandTable {
  readonly entries: readonly CommandEntry[];
  readonly #byName = new Map<string, CommandEntry>();

  constructor(specs: readonly CommandSpec[] = COMMAND_SPECS) {
    this.entries = specs.map((spec, index) => ({ spec, index, writes: spec.flags.includes("write") }));
    for (const entry of this.entries) {
      this.#byName.set(entry.spec.name, entry);
      this.#byName.set(entry.spec.name.toUpperCase(), entry);
    }
  }

  /** The command called `name` in any case; undefined when there is none. */
  find(name: string): CommandEntry | undefined {
    return this.#byName.get(name) ?? this.#byName.get(name.toLowerCase());
  }
}
