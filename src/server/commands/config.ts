/** CONFIG: the settings of this door under the names Redis gives them. */
import { keylessSpec } from "../command-spec.ts";
import { SYNTAX_ERROR } from "../error-text.ts";
import { mapForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { runSubcommand, type Subcommands } from "../subcommands.ts";

export const CONFIG = keylessSpec({
  name: "config",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  family: "server",
  order: "free",
  group: "server",
  summary: "A container for server configuration commands.",
  run: (request) => runSubcommand(request, SUBCOMMANDS),
});

const SUBCOMMANDS: Subcommands = {
  get: {
    arity: -3,
    usage: "GET <pattern> [<pattern> ...]",
    summary: "Return parameters matching the glob-like <pattern>s and their values.",
    run: (request) =>
      request.answer(mapForm, request.client.services.settings.matching(request.args.slice(2)).flat()),
  },
  set: {
    arity: -4,
    usage: "SET <parameter> <value> [<parameter> <value> ...]",
    summary: "Set the configuration <parameter> to <value>.",
    run: setParameters,
  },
  resetstat: {
    arity: 2,
    usage: "RESETSTAT",
    summary: "Reset statistics reported by the INFO command.",
    run(request) {
      request.client.services.stats.reset();
      request.ok();
    },
  },
  rewrite: {
    arity: 2,
    usage: "REWRITE",
    summary: "Refused: settings live in the command line, the environment or the file of the node.",
    run: (request) => request.refuse("ERR The server is running without a config file"),
  },
};

function setParameters(request: Request): void {
  const { args } = request;
  if (args.length % 2 !== 0) {
    request.refuse(SYNTAX_ERROR);
    return;
  }
  const wanted = new Map<string, string>();
  for (let at = 2; at < args.length; at += 2) {
    const name = request.arg(at).toLowerCase();
    if (wanted.has(name)) {
      request.refuse(`ERR CONFIG SET failed (possibly related to argument '${name}') - duplicate parameter`);
      return;
    }
    wanted.set(name, request.arg(at + 1));
  }
  const refusal = request.client.services.settings.apply(wanted);
  if (refusal === null) request.ok();
  else request.refuse(refusal);
}
