/**
 * The LevelDB store keeps what every log store must keep, on a real folder.
 */
import { afterEach, describe, expect, it } from "vitest";
import { LOG_STORE_CLAIMS } from "../conformance/log-store.ts";
import { LevelSubject } from "./level-subject.ts";

const subjects: LevelSubject[] = [];

function subject(...options: ConstructorParameters<typeof LevelSubject>): LevelSubject {
  const made = new LevelSubject(...options);
  subjects.push(made);
  return made;
}

afterEach(async () => {
  for (const each of subjects.splice(0)) await each.dispose();
});

describe.each([
  ["always", { fsync: { type: "always" } }],
  ["interval", { fsync: { type: "interval", intervalMs: 5 } }],
  ["never", { fsync: { type: "never" } }],
  ["with one checkpoint", { checkpointsKept: 1 }],
] as const)("the log store in LevelDB, %s", (_name, options) => {
  it.each(LOG_STORE_CLAIMS)("$title", async ({ check }) => {
    await check(subject(options));
  });
});

it("a store that confirms before it has written is found out", async () => {
  let refuted = 0;
  for (const { check } of LOG_STORE_CLAIMS) {
    const broken = subject();
    const { open } = broken;
    broken.open = () => {
      const store = open.call(broken);
      const { write } = store;
      store.write = (writes, done) => {
        write.call(store, writes, () => {});
        done(null);
      };
      return store;
    };
    await check(broken).catch(() => refuted++);
  }
  expect(refuted).toBeGreaterThan(0);
});
