/**
 * The suite as a program outside of this repository meets it: `import { LOG_STORE_CLAIMS } from "crema-node/testing"`.
 */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { ROOT } from "../architecture/imports.ts";

/** A store that keeps everything in one JavaScript value, as somebody else might write it; and one that keeps nothing. */
const PROGRAM = `
import { LOG_STORE_CLAIMS } from "crema-node/testing";
const nothing = () => ({
  durable: true,
  set onStall(_listener) {},
  load: async () => ({ node: null, groups: [], tombstones: [], damaged: [] }),
  write: (_writes, done) => done(null),
  beginCheckpoint: () => ({ write() {}, finish: (done) => done(null, { discard() {} }), abandon() {} }),
  checkpoint: (_group, _base, _checkpoint, done) => done(null),
  remove() {},
  saveNode: (_record, done) => done(null),
  counters: () => ({}),
  close: async () => {},
});
const subject = { open: nothing, settle: async () => {}, crash: async () => {}, setFull() {}, setBroken() {} };
const held = [];
for (const { title, check } of LOG_STORE_CLAIMS)
  await check(subject).then(() => held.push(title), (error) => { if (error.code !== "ERR_ASSERTION") throw error; });
console.log(JSON.stringify({ claims: LOG_STORE_CLAIMS.length, held }));
`;

it("the package exports the suite, and a store that keeps nothing does not get by", () => {
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM], { cwd: ROOT });
  const { claims, held } = JSON.parse(output.toString()) as { claims: number; held: string[] };
  expect(claims).toBeGreaterThan(15);
  expect(held).toContain("a fresh store holds nothing");
  expect(held.length).toBeLessThan(4);
});
