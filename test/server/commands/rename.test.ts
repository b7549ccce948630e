import { expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("RENAME moves value and expiry, and overwrites", async () => {
  await use.ask("SET {t}a 1 EX 100");
  await use.ask("SET {t}b 2");
  expect(await use.ask("RENAME {t}a {t}b")).toEqual(OK);
  expect(await use.ask("GET {t}b")).toBe("1");
  expect(await use.ask("TTL {t}b")).toBe(100);
  expect(await use.ask("EXISTS {t}a")).toBe(0);
});

test("RENAMENX leaves an existing key alone", async () => {
  await use.ask("MSET {t}a 1 {t}b 2");
  expect(await use.ask("RENAMENX {t}a {t}b")).toBe(0);
  expect(await use.ask("RENAMENX {t}a {t}c")).toBe(1);
});

test("a missing key cannot be renamed", async () => {
  expect(await use.ask("RENAME {t}absent {t}b")).toEqual(refusal("ERR no such key"));
});

test.each(["RENAME", "RENAMENX"])("%s to another shard is refused", async (command) => {
  const [a, b] = use.spread("k", 2);
  expect(await use.ask(`${command} ${a} ${b}`)).toEqual(
    refusal(
      "CROSSSLOT Keys in request don't hash to the same slot: use a {hash tag} to keep them on one shard",
    ),
  );
});
