import { expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("AUTH passes the default user, and nobody else", async () => {
  expect(await use.ask("AUTH default anything")).toEqual(OK);
  expect(await use.ask("AUTH bob anything")).toEqual(
    refusal("WRONGPASS invalid username-password pair or user is disabled."),
  );
});

test("AUTH with a password alone says that none is set", async () => {
  expect(await use.ask("AUTH secret")).toEqual(
    refusal(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    ),
  );
});
