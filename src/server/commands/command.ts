/** COMMAND: the command table, told from the specs themselves. */

import type { RespWriter } from "../../wire/resp/resp-writer.ts";
import { type CommandSpec, forEachKey, keylessSpec } from "../command-spec.ts";
import type { CommandTable } from "../command-table.ts";
import { SYNTAX_ERROR } from "../error-text.ts";
import { integerForm, mapForm, plainForm, type ReplyForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { arityAllows, runSubcommand, type Subcommands } from "../subcommands.ts";

export const COMMAND = keylessSpec({
  name: "command",
  arity: -1,
  flags: ["loading", "stale"],
  family: "server",
  order: "free",
  group: "server",
  summary: "Returns detailed information about all commands.",
  run(request) {
    if (request.args.length === 1) describe(request, null);
    else runSubcommand(request, SUBCOMMANDS);
  },
});

const SUBCOMMANDS: Subcommands = {
  count: {
    arity: 2,
    usage: "COUNT",
    summary: "Return the total number of commands in this server.",
    run: (request) => request.answer(integerForm, tableOf(request).entries.length),
  },
  docs: {
    arity: -2,
    usage: "DOCS [<command-name> ...]",
    summary: "Return documentation details about multiple commands.",
    run: document,
  },
  getkeys: {
    arity: -4,
    usage: "GETKEYS <full-command>",
    summary: "Return the keys from a full command.",
    run: getKeys,
  },
  info: {
    arity: -2,
    usage: "INFO [<command-name> ...]",
    summary: "Return details about multiple commands; all of them when none is given.",
    run: (request) => describe(request, request.args.length === 2 ? null : request.args.slice(2)),
  },
  list: {
    arity: -2,
    usage: "LIST",
    summary: "Return a list of all commands in this server.",
    run(request) {
      if (request.args.length > 2) request.refuse(SYNTAX_ERROR);
      else
        request.answer(
          plainForm,
          tableOf(request).entries.map(({ spec }) => spec.name),
        );
    },
  },
};

function tableOf(request: Request): CommandTable {
  return request.client.services.commands;
}

/** Answers COMMAND INFO for `names`, null for those unknown; for all commands when `names` is null. */
function describe(request: Request, names: readonly string[] | null): void {
  const table = tableOf(request);
  const specs =
    names === null ? table.entries.map(({ spec }) => spec) : names.map((name) => table.find(name)?.spec);
  const form: ReplyForm = (writer) => {
    writer.array(specs.length);
    for (const spec of specs) writeInfo(writer, spec);
  };
  request.answer(form, null);
}

function writeInfo(writer: RespWriter, spec: CommandSpec | undefined): void {
  if (spec === undefined) {
    writer.null();
    return;
  }
  writer.array(10);
  writer.bulk(spec.name);
  writer.integer(spec.arity);
  writer.set(spec.flags.length);
  for (const flag of spec.flags) writer.simple(flag);
  writer.integer(spec.firstKey);
  writer.integer(spec.lastKey);
  writer.integer(spec.keyStep);
  // ACL categories, tips, key specifications, subcommands: none are told.
  writer.set(0);
  writer.array(0);
  writer.array(0);
  writer.array(0);
}

function document(request: Request): void {
  const table = tableOf(request);
  const names = request.args.slice(2);
  const specs = table.entries
    .map(({ spec }) => spec)
    .filter(({ name }) => names.length === 0 || names.some((wanted) => wanted.toLowerCase() === name));
  const form: ReplyForm = (writer) => {
    writer.map(specs.length);
    for (const { name, summary, group } of specs) {
      writer.bulk(name);
      mapForm(writer, ["summary", summary, "group", group]);
    }
  };
  request.answer(form, null);
}

function getKeys(request: Request): void {
  const args = request.args.slice(2);
  const spec = tableOf(request).find(args[0] as string)?.spec;
  if (spec === undefined) {
    request.refuse("ERR Invalid command specified");
  } else if (spec.firstKey === 0) {
    request.refuse("ERR The command has no key arguments");
  } else if (!arityAllows(spec.arity, args.length)) {
    request.refuse("ERR Invalid number of arguments specified for command");
  } else {
    const keys: string[] = [];
    forEachKey(spec, args, (key) => keys.push(key));
    request.answer(plainForm, keys);
  }
}
