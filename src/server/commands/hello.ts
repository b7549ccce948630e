/** HELLO: chooses RESP2 or RESP3 and tells the client who it talks to. */
import { keylessSpec } from "../command-spec.ts";
import { parseInteger } from "../number-arguments.ts";
import { mapForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { REDIS_VERSION } from "../resp-services.ts";
import { isKnownUser, WRONG_PASSWORD } from "./auth.ts";
import { BAD_CLIENT_NAME, isClientName } from "./client.ts";

export const HELLO = keylessSpec({
  name: "hello",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth"],
  family: "connection",
  order: "alone",
  group: "connection",
  summary: "Handshakes with the Redis server.",
  run(request) {
    const { client } = request;
    const version = request.args.length === 1 ? client.version : parseInteger(request.arg(1));
    if (version === null) {
      request.refuse("ERR Protocol version is not an integer or out of range");
      return;
    }
    if (version !== 2 && version !== 3) {
      request.refuse("NOPROTO unsupported protocol version");
      return;
    }
    const name = readOptions(request);
    if (name === null) return;
    if (name !== undefined) client.name = name;
    client.speak(version);
    request.answer(mapForm, [
      "server",
      "redis",
      "version",
      REDIS_VERSION,
      "proto",
      version,
      "id",
      client.id,
      "mode",
      "standalone",
      "role",
      "master",
      "modules",
      [],
    ]);
  },
});

/** Checks AUTH and SETNAME. The name to take, undefined for none, or null after the request was refused. */
function readOptions(request: Request): string | undefined | null {
  const { args } = request;
  let name: string | undefined;
  for (let at = 2; at < args.length; at++) {
    const word = request.arg(at);
    const option = word.toUpperCase();
    if (option === "AUTH" && at + 2 < args.length) {
      if (!isKnownUser(request.arg(at + 1))) {
        request.refuse(WRONG_PASSWORD);
        return null;
      }
      at += 2;
    } else if (option === "SETNAME" && at + 1 < args.length) {
      name = request.arg(++at);
      if (!isClientName(name)) {
        request.refuse(BAD_CLIENT_NAME);
        return null;
      }
    } else {
      request.refuse(`ERR Syntax error in HELLO option '${word}'`);
      return null;
    }
  }
  return name;
}
