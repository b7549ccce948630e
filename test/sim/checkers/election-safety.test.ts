/**
 * One leader per term, over all lives.
 */
import { expect, test } from "vitest";
import { term } from "../../../src/base/ids.ts";
import { ElectionSafety } from "../../../src/sim/checkers/election-safety.ts";
import { Findings, fakeGroup, fakeLife, node, ready } from "./support.ts";

test("two leaders of one term are found, also in two lives of one node; leaders of two terms are not", () => {
  const findings = new Findings();
  const checker = new ElectionSafety(findings);
  const leads = (number: number, inTerm: number, group = 1, nth = 1): void => {
    const life = fakeLife(number, nth);
    for (const role of ["candidate", "leader", "leader"] as const) {
      const leadership = { role, term: term(inTerm), leader: role === "leader" ? node(number) : null };
      checker.ready(life, fakeGroup({}, group).group, ready({ leadership }));
    }
  };
  leads(1, 3);
  leads(2, 4);
  leads(3, 3, 2);
  expect(findings.all).toEqual([]);
  leads(4, 3);
  leads(2, 4, 1, 2);
  expect(findings.messages).toEqual(Array(4).fill("a term has one leader"));
  expect(findings.all.map(({ lives }) => lives[1])).toEqual(["m4", "m4", "m2#2", "m2#2"]);
});
