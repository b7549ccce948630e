import { expect, test } from "vitest";
import { Status } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("RESET gives up protocol, name and local reads, and keeps the id", async () => {
  const id = await use.ask("CLIENT ID");
  await use.ask("HELLO 3 SETNAME me");
  await use.ask("READONLY");
  expect(await use.ask("RESET")).toEqual(new Status("RESET"));
  expect(await use.ask("CLIENT GETNAME")).toBeNull();
  expect(await use.ask("CLIENT ID")).toBe(id);
  expect(await use.ask("CLIENT INFO")).toContain("resp=2");
  await use.ask("GET k");
  expect(use.door.asked.at(-1)?.consistency).toBe("linearizable");
});

test("RESET is answered even after CLIENT REPLY OFF", async () => {
  const client = await use.connect();
  client.write("CLIENT REPLY OFF\r\nPING\r\nRESET\r\nPING\r\n");
  expect(await client.reply()).toEqual(new Status("RESET"));
  expect(await client.reply()).toEqual(new Status("PONG"));
});
