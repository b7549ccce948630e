import { expect, test } from "vitest";
import { retried } from "../../../cli/backup/retries.ts";

const WAITS_MS = [1, 1, 1];

test("what fails for a reason of the moment is tried again until it works", async () => {
  const heard: unknown[] = [];
  let tries = 0;
  const attempt = async (): Promise<string> => {
    if (++tries < 3) throw new Error(`try ${tries}`);
    return "done";
  };
  expect(
    await retried(
      attempt,
      () => true,
      (error) => void heard.push(error),
      WAITS_MS,
    ),
  ).toBe("done");
  expect(heard).toEqual([new Error("try 1"), new Error("try 2")]);
});

test("what goes on failing is given up with its last error", async () => {
  let tries = 0;
  const attempt = async (): Promise<never> => {
    throw new Error(`try ${++tries}`);
  };
  await expect(retried(attempt, () => true, undefined, WAITS_MS)).rejects.toThrow("try 4");
});

test("what will not pass is not tried again", async () => {
  let tries = 0;
  const attempt = async (): Promise<never> => {
    throw new Error(`try ${++tries}`);
  };
  await expect(retried(attempt, () => false, undefined, WAITS_MS)).rejects.toThrow("try 1");
});
