import { describe, expect, test } from "vitest";
import { OK, type Status } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("CLIENT", () => {
  test("ID rises from connection to connection", async () => {
    const [first, second] = [await use.connect(), await use.connect()];
    const id = (await first.ask("CLIENT", "ID")) as number;
    expect(await second.ask("CLIENT", "ID")).toBe(id + 1);
    expect(await first.ask("CLIENT", "ID")).toBe(id);
  });

  test("SETNAME and SETINFO show in INFO and LIST", async () => {
    expect(await use.ask("CLIENT SETNAME me")).toEqual(OK);
    expect(await use.ask("CLIENT SETINFO LIB-NAME lib")).toEqual(OK);
    expect(await use.ask("CLIENT SETINFO lib-ver 1.2")).toEqual(OK);
    expect(await use.ask("CLIENT GETNAME")).toBe("me");
    const info = await use.ask("CLIENT INFO");
    expect(info).toMatch(
      /^id=\d+ addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ name=me .*cmd=client .*lib-name=lib lib-ver=1\.2\n$/,
    );
    expect(await use.ask("CLIENT LIST")).toContain(" name=me ");
    expect(await use.ask("CLIENT SETINFO LIB-FOO x")).toEqual(refusal("ERR Unrecognized option 'LIB-FOO'"));
  });

  test("LIST filters by id and type", async () => {
    const other = await use.connect();
    const id = await other.ask("CLIENT", "ID");
    const listed = (await use.ask(`CLIENT LIST ID ${id}`)) as string;
    expect(listed.split("\n").filter(Boolean).length).toBe(1);
    expect(listed).toContain(`id=${id} `);
    expect((await use.ask("CLIENT LIST TYPE normal")) as string).toContain(`id=${id} `);
    expect(await use.ask("CLIENT LIST TYPE pubsub")).toBe("");
  });

  test("a client that left is not listed", async () => {
    const other = await use.connect();
    const id = await other.ask("CLIENT", "ID");
    other.destroy();
    await expect.poll(() => use.ask(`CLIENT LIST ID ${id}`)).toBe("");
  });

  test("REPLY SKIP drops the next answer, OFF all until ON", async () => {
    const client = await use.connect();
    client.write("CLIENT REPLY SKIP\r\nECHO 1\r\nECHO 2\r\n");
    expect(await client.reply()).toBe("2");
    client.write(
      "CLIENT REPLY OFF\r\nECHO 3\r\nSET k v\r\nNOSUCH\r\nCLIENT REPLY SKIP\r\nECHO 4\r\nCLIENT REPLY ON\r\nGET k\r\n",
    );
    expect(await client.reply()).toEqual(OK);
    expect(await client.reply()).toBe("v");
  });

  test("NO-EVICT and NO-TOUCH take ON and OFF", async () => {
    for (const name of ["NO-EVICT", "NO-TOUCH"]) {
      expect(await use.ask(`CLIENT ${name} ON`)).toEqual(OK);
      expect(await use.ask(`CLIENT ${name} off`)).toEqual(OK);
      expect(await use.ask(`CLIENT ${name} maybe`)).toEqual(refusal("ERR syntax error"));
    }
  });

  test("HELP lists what there is", async () => {
    const help = (await use.ask("CLIENT HELP")) as Status[];
    expect(help[0]).toBe("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    expect(help).toContain("SETNAME <name>");
  });

  test("a subcommand named like an object's member is unknown", async () => {
    expect(await use.ask("CLIENT constructor")).toEqual(
      refusal("ERR unknown subcommand 'constructor'. Try CLIENT HELP."),
    );
  });
});
