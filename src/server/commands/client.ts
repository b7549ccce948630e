/** CLIENT: what a connection says about itself, and who else is connected. */
import { keylessSpec } from "../command-spec.ts";
import { SYNTAX_ERROR } from "../error-text.ts";
import { parseInteger } from "../number-arguments.ts";
import { bulkForm, integerForm, verbatimForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { runSubcommand, type Subcommands } from "../subcommands.ts";

export const BAD_CLIENT_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";

/** Whether `name` has only printable characters and no spaces. Empty takes the name away. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

export const CLIENT = keylessSpec({
  name: "client",
  arity: -2,
  flags: ["noscript", "loading", "stale"],
  family: "connection",
  // CLIENT REPLY decides about the answers after it, so it takes its turn.
  order: "alone",
  group: "connection",
  summary: "A container for client connection commands.",
  run: (request) => runSubcommand(request, SUBCOMMANDS),
});

const SUBCOMMANDS: Subcommands = {
  getname: {
    arity: 2,
    usage: "GETNAME",
    summary: "Return the name of the current connection.",
    run: (request) => request.answer(bulkForm, request.client.name === "" ? null : request.client.name),
  },
  id: {
    arity: 2,
    usage: "ID",
    summary: "Return the ID of the current connection.",
    run: (request) => request.answer(integerForm, request.client.id),
  },
  info: {
    arity: 2,
    usage: "INFO",
    summary: "Return information about the current client connection.",
    run: (request) => request.answer(verbatimForm, `${request.client.describe()}\n`),
  },
  list: {
    arity: -2,
    usage: "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <client-id> [...]]",
    summary: "Return information about client connections.",
    run: listClients,
  },
  "no-evict": {
    arity: 3,
    usage: "NO-EVICT (ON|OFF)",
    summary: "Accepted for compatibility: this server never closes a connection to free memory of another.",
    run: setNoEvict,
  },
  "no-touch": {
    arity: 3,
    usage: "NO-TOUCH (ON|OFF)",
    summary:
      "Accepted for compatibility: reads do not change which keys are evicted first on the client's word.",
    run: acceptSwitch,
  },
  reply: {
    arity: 3,
    usage: "REPLY (ON|OFF|SKIP)",
    summary: "Control the replies sent to the current connection.",
    run: setReplyMode,
  },
  setinfo: {
    arity: 4,
    usage: "SETINFO (LIB-NAME <name>|LIB-VER <version>)",
    summary: "Tell which library this connection uses.",
    run: setInfo,
  },
  setname: {
    arity: 3,
    usage: "SETNAME <name>",
    summary: "Assign the name <name> to the current connection.",
    run: setName,
  },
};

function listClients(request: Request): void {
  const { clients } = request.client.services;
  const [, , option, first, ...more] = request.args;
  let listed = [...clients.values()];
  if (option !== undefined && first === undefined) {
    request.refuse(SYNTAX_ERROR);
    return;
  }
  if (option?.toUpperCase() === "TYPE" && first !== undefined && more.length === 0) {
    const type = first.toLowerCase();
    if (!["normal", "master", "replica", "slave", "pubsub"].includes(type)) {
      request.refuse(`ERR Unknown client type '${first}'`);
      return;
    }
    if (type !== "normal") listed = [];
  } else if (option?.toUpperCase() === "ID" && first !== undefined) {
    const ids = [first, ...more].map(parseInteger);
    if (ids.includes(null)) {
      request.refuse("ERR Invalid client ID");
      return;
    }
    listed = listed.filter((client) => ids.includes(client.id));
  } else if (option !== undefined) {
    request.refuse(SYNTAX_ERROR);
    return;
  }
  request.answer(verbatimForm, listed.map((client) => `${client.describe()}\n`).join(""));
}

function setNoEvict(request: Request): void {
  const on = switchOf(request);
  if (on === null) return;
  request.client.noEvict = on;
  request.ok();
}

function acceptSwitch(request: Request): void {
  if (switchOf(request) !== null) request.ok();
}

/** ON or OFF, or null after the request was refused. */
function switchOf(request: Request): boolean | null {
  const word = request.arg(2).toUpperCase();
  if (word === "ON" || word === "OFF") return word === "ON";
  request.refuse(SYNTAX_ERROR);
  return null;
}

function setReplyMode(request: Request): void {
  const { client } = request;
  switch (request.arg(2).toUpperCase()) {
    case "ON":
      client.replyMode = "on";
      request.silent = false;
      break;
    case "OFF":
      client.replyMode = "off";
      request.silent = true;
      break;
    case "SKIP":
      // While replies are off, there is nothing to skip.
      if (client.replyMode === "on") client.replyMode = "skip-next";
      request.silent = true;
      break;
    default:
      request.refuse(SYNTAX_ERROR);
      return;
  }
  request.ok();
}

function setInfo(request: Request): void {
  const { client } = request;
  const attribute = request.arg(2).toLowerCase();
  const value = request.arg(3);
  if (attribute !== "lib-name" && attribute !== "lib-ver") {
    request.refuse(`ERR Unrecognized option '${request.arg(2)}'`);
  } else if (!isClientName(value)) {
    request.refuse(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  } else {
    if (attribute === "lib-name") client.libraryName = value;
    else client.libraryVersion = value;
    request.ok();
  }
}

function setName(request: Request): void {
  const name = request.arg(2);
  if (!isClientName(name)) {
    request.refuse(BAD_CLIENT_NAME);
    return;
  }
  request.client.name = name;
  request.ok();
}
