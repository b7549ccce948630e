import { describe, expect, it } from "vitest";
import { groupId, nodeId } from "../../src/base/ids.ts";
import { LeaderTable } from "../../src/node/leader-table.ts";

const GROUP = groupId(3);
const [A, B] = [nodeId("00000000000000aa"), nodeId("00000000000000bb")];

function table() {
  const changes: (string | null)[] = [];
  return { hints: new LeaderTable((_group, { leader }) => changes.push(leader)), changes };
}

describe("hints about leaders", () => {
  it("of a lower term never replace those of a higher one", () => {
    const { hints } = table();
    expect(hints.learn(GROUP, A, 5)).toBe(true);
    expect(hints.learn(GROUP, B, 4)).toBe(false);
    expect(hints.learn(GROUP, B, 5)).toBe(false);
    expect(hints.get(GROUP)).toEqual({ leader: A, term: 5 });
    expect(hints.learn(GROUP, B, 6)).toBe(true);
    expect(hints.get(GROUP)).toEqual({ leader: B, term: 6 });
  });

  // Found by simulation: a candidate entered a term alone, died without having written it down, and the group never saw it.
  it("are still taken of a term below one in which somebody knew of no leader", () => {
    const { hints, changes } = table();
    hints.learn(GROUP, A, 2);
    expect(hints.learn(GROUP, null, 4)).toBe(true);
    expect(hints.get(GROUP).leader).toBeNull();
    expect(hints.learn(GROUP, null, 9), "no news").toBe(false);
    expect(hints.learn(GROUP, B, 3)).toBe(true);
    expect(changes).toEqual([A, null, B]);
  });

  it("that were doubted may be heard again", () => {
    const { hints } = table();
    hints.learn(GROUP, A, 2);
    hints.doubt(GROUP, B);
    expect(hints.get(GROUP).leader, "somebody else is doubted").toBe(A);
    hints.doubt(GROUP, A);
    expect(hints.get(GROUP)).toEqual({ leader: null, term: 2 });
    expect(hints.learn(GROUP, A, 2)).toBe(true);
  });

  it("are doubted by a refusal that names nobody, unless the refusal is of an older term", () => {
    const { hints } = table();
    hints.learn(GROUP, A, 7);
    hints.refused(GROUP, A, null, 6);
    expect(hints.get(GROUP).leader).toBe(A);
    hints.refused(GROUP, A, null, 7);
    expect(hints.get(GROUP).leader).toBeNull();
    hints.refused(GROUP, A, B, 7);
    expect(hints.get(GROUP).leader).toBe(B);
  });
});
