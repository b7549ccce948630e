import { describe, expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("HELLO", () => {
  test("answers who is there, as a map in RESP3 and an array in RESP2", async () => {
    const id = await use.ask("CLIENT ID");
    const fields = [
      "server",
      "redis",
      "version",
      "7.0.15",
      "proto",
      2,
      "id",
      id,
      "mode",
      "standalone",
      "role",
      "master",
      "modules",
      [],
    ];
    expect(await use.ask("HELLO")).toEqual(fields);
    const map = await use.ask("HELLO 3");
    expect(map).toBeInstanceOf(Map);
    expect((map as Map<string, unknown>).get("proto")).toBe(3);
  });

  test("changes the protocol from its own answer on, not before", async () => {
    const client = await use.connect();
    client.write("GET absent\r\nHELLO 3\r\nGET absent\r\nHELLO 2\r\nGET absent\r\n");
    expect(await client.rawReply()).toBe("$-1\r\n");
    expect(await client.rawReply()).toMatch(/^%7\r\n/);
    expect(await client.rawReply()).toBe("_\r\n");
    expect(await client.rawReply()).toMatch(/^\*14\r\n/);
    expect(await client.rawReply()).toBe("$-1\r\n");
  });

  test("takes AUTH and SETNAME", async () => {
    expect(await use.ask("HELLO 3 AUTH default x SETNAME me")).toBeInstanceOf(Map);
    expect(await use.ask("CLIENT GETNAME")).toBe("me");
  });

  test("that is refused changes nothing", async () => {
    expect(await use.ask("HELLO 3 SETNAME me AUTH bob x")).toEqual(
      refusal("WRONGPASS invalid username-password pair or user is disabled."),
    );
    expect(await use.ask("CLIENT GETNAME")).toBeNull();
    expect(await use.ask("CLIENT INFO")).toContain("resp=2");
    expect(await use.ask("HELLO 4")).toEqual(refusal("NOPROTO unsupported protocol version"));
  });
});
