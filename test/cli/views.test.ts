/**
 * What people are shown: the tables of `crema status` and of `crema local`, to the letter.
 */
import { describe, expect, it } from "vitest";
import { eventLevel } from "../../cli/event-level.ts";
import {
  isComplete,
  type LocalNode,
  localLines,
  progressText,
  waitingNode,
} from "../../cli/local/local-view.ts";
import { rebalanceLines } from "../../cli/operator/rebalance-view.ts";
import { shardLines, statusLines } from "../../cli/operator/status-view.ts";
import { PLAIN } from "../../cli/terminal/colours.ts";
import { clusterId, groupId, shardId } from "../../src/base/ids.ts";
import { describeEvent, type MemberStatus, type NodeEvent } from "../../src/index.ts";
import {
  exampleGroup,
  exampleMember,
  exampleRebalance,
  exampleStatus,
  NODE_A,
  NODE_B,
  NODE_C,
} from "./example-status.ts";

const nodes: readonly LocalNode[] = [NODE_A, NODE_B, NODE_C].map((nodeId, index) => ({
  name: `node-${index + 1}`,
  state: "ready",
  pid: 100 + index,
  ending: null,
  addresses: {
    nodeId,
    cluster: `127.0.0.1:${7946 + index}`,
    resp: `127.0.0.1:${6380 + index}`,
    http: `127.0.0.1:${7980 + index}`,
  },
}));

describe("crema status", () => {
  it("shows members and shards in at most 100 columns", () => {
    const status = exampleStatus({
      members: [
        exampleMember(0),
        exampleMember(1, { state: "suspect" }),
        exampleMember(2, { state: "dead", name: "" }),
      ],
      shards: [
        { shard: shardId(0), ...exampleGroup() },
        { shard: shardId(1), ...exampleGroup({ leader: null }) },
        {
          shard: shardId(2),
          ...exampleGroup({ leader: NODE_C, voters: [NODE_B, NODE_C], learners: [NODE_A] }),
        },
        { shard: shardId(3), ...exampleGroup({ joint: true }) },
      ],
    });
    const lines = statusLines(status, PLAIN);
    expect(lines.join("\n")).toBe(
      [
        "cluster 5f0c000000000000   1 of 3 members alive   3 of 4 shards led   map version 9",
        "",
        "NODE  NAME    STATE          ZONE  CLUSTER         REDIS  HTTP  LEADS  HOLDS",
        "aaaa  node-1  alive (asked)  east  127.0.0.1:7946   6380  7980      2      4",
        "bbbb  node-2  suspect        -     127.0.0.1:7947   6381  7981      0      4",
        "cccc  -       dead           -     127.0.0.1:7948   6382     -      1      4",
        "",
        " SHARD  LEADER  TERM  COMMIT  APPLY  VOTERS          LEARNERS  STATE",
        "system  aaaa       2     117    117  aaaa bbbb cccc  -         ok",
        "     0  aaaa       2     117    117  aaaa bbbb cccc  -         ok",
        "     1  none       2     117    117  aaaa bbbb cccc  -         no quorum",
        "     2  cccc       2     117    117  bbbb cccc       aaaa      moving",
        "     3  aaaa       2     117    117  aaaa bbbb cccc  -         changing",
      ].join("\n"),
    );
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("tells a shard that waits for an election from one that nobody can lead", () => {
    const stateOf = (members: readonly MemberStatus[]): string | undefined =>
      shardLines(
        exampleStatus({ members, shards: [{ shard: shardId(0), ...exampleGroup({ leader: null }) }] }),
        PLAIN,
      )[2];
    expect(stateOf([exampleMember(0), exampleMember(1), exampleMember(2, { state: "dead" })])).toContain(
      "no leader",
    );
    expect(
      stateOf([
        exampleMember(0),
        exampleMember(1, { state: "dead" }),
        exampleMember(2, { state: "suspect" }),
      ]),
    ).toContain("no quorum");
  });
});

describe("crema rebalance status", () => {
  it("says so when nothing is to do", () => {
    expect(rebalanceLines(exampleRebalance(), PLAIN).join("\n")).toBe(
      [
        "rebalancing is on, at most 16 shards at once",
        "shards: 4 settled, 0 moving",
        "to go: nothing, all is where the plan has it",
        "",
        "NODE  REPLICAS  PLANNED  LEADERS  PLANNED",
        "aaaa         4        4        2        2",
        "bbbb         4        4        1        1",
        "cccc         4        4        1        1",
      ].join("\n"),
    );
  });

  it("shows each group that is not where it should be, and why", () => {
    const move = { leader: NODE_A, from: [NODE_A], to: [NODE_A, NODE_B], learning: [] };
    const learning = [
      { nodeId: NODE_B, entriesBehind: 120, snapshot: false },
      { nodeId: NODE_C, entriesBehind: 9_000, snapshot: true },
    ];
    const moves = [
      { ...move, shard: null, state: "moving", phase: "joint" },
      { ...move, shard: shardId(0), state: "moving", phase: "catching-up", learning },
      { ...move, shard: shardId(1), state: "moving", phase: "leader-transfer", to: [NODE_B] },
      { ...move, shard: shardId(2), state: "waiting", phase: null },
      { ...move, shard: shardId(3), state: "stuck", phase: null, leader: null },
      { ...move, shard: shardId(4), state: "paused", phase: null },
      { ...move, shard: shardId(5), state: "moving", phase: "unheard", leader: null, from: [] },
    ] as const;
    const status = exampleRebalance({
      paused: true,
      movesMax: null,
      shards: { settled: 10, moving: 3, waiting: 1, paused: 1, stuck: 1 },
      moves,
      nodes: [],
      replicasToMove: 5,
      leadersToMove: 1,
    });
    expect(rebalanceLines(status, PLAIN).join("\n")).toBe(
      [
        "rebalancing is paused",
        "shards: 10 settled, 3 moving, 1 waiting for room, 1 held back by the pause, 1 stuck without a majority",
        "to go: replicas 5, leaders 1",
        "",
        "NODE  REPLICAS  PLANNED  LEADERS  PLANNED",
        "",
        " SHARD  FROM  TO         LEADER  STATE",
        "system  aaaa  aaaa bbbb  aaaa    joint change",
        "     0  aaaa  aaaa bbbb  aaaa    bbbb is 120 entries behind, cccc gets a snapshot",
        "     1  aaaa  bbbb       aaaa    hands over to bbbb",
        "     2  aaaa  aaaa bbbb  aaaa    waits for room",
        "     3  aaaa  aaaa bbbb  -       no majority",
        "     4  aaaa  aaaa bbbb  aaaa    paused",
        "     5  -     aaaa bbbb  -       not heard of",
      ].join("\n"),
    );
  });

  it("lists 32 moves and counts the rest", () => {
    const moves = Array.from({ length: 40 }, (_, shard) => ({
      shard: shardId(shard),
      state: "waiting" as const,
      phase: null,
      leader: NODE_A,
      from: [NODE_A],
      to: [NODE_B],
      learning: [],
    }));
    expect(rebalanceLines(exampleRebalance({ moves }), PLAIN).at(-1)).toBe("and 8 more");
  });
});

describe("crema local", () => {
  it("shows processes and the map of shards", () => {
    const status = exampleStatus({
      shards: [
        { shard: shardId(0), ...exampleGroup() },
        {
          shard: shardId(1),
          ...exampleGroup({ leader: NODE_B, voters: [NODE_A, NODE_B], learners: [NODE_C] }),
        },
        { shard: shardId(2), ...exampleGroup({ leader: NODE_C, voters: [NODE_C] }) },
        { shard: shardId(3), ...exampleGroup({ leader: null }) },
      ],
    });
    expect(localLines(nodes, status, PLAIN).join("\n")).toBe(
      [
        "NODE    PID  CLUSTER         REDIS  HTTP  LEADS  HOLDS  STATE",
        "node-1  100  127.0.0.1:7946   6380  7980      1      3  alive",
        "node-2  101  127.0.0.1:7947   6381  7981      1      3  alive",
        "node-3  102  127.0.0.1:7948   6382  7982      1      4  alive",
        "",
        "SHARD     0  1  2  3",
        "node-1    ●  ○  ·  ○",
        "node-2    ○  ●  ·  ○",
        "node-3    ○  ◌  ●  ○",
        "          ● leads   ○ votes   ◌ learns   · holds no copy",
      ].join("\n"),
    );
    expect(progressText(nodes, status)).toBe(
      "3 of 3 nodes found each other, 3 of 4 leaders elected, 2 of 4 shards on 3 nodes",
    );
    expect(isComplete(nodes, status)).toBe(false);
    expect(isComplete(nodes, exampleStatus())).toBe(true);
  });

  it("shows nodes that have not been started yet", () => {
    const some = [...nodes.slice(0, 1), waitingNode("node-2")];
    expect(localLines(some, null, PLAIN)[2]).toBe(
      "node-2    -  -                   -     -      0      0  waiting",
    );
    expect(progressText(some, null)).toBe("1 of 2 processes run, no member answers yet");
  });

  it("shows a process that is gone, and why", () => {
    const gone = nodes.map((node, index) =>
      index === 1 ? { ...node, state: "gone" as const, ending: "signal SIGKILL" } : node,
    );
    const members = [exampleMember(0), exampleMember(1, { state: "dead" }), exampleMember(2)];
    const lines = localLines(gone, exampleStatus({ members }), PLAIN);
    expect(lines[2]).toContain("gone (signal SIGKILL, dead to the others)");
    expect(progressText(gone, null)).toBe("2 of 3 processes run, no member answers yet");
  });

  it("folds many shards into rows of 16 and says how many it hides", () => {
    const shards = Array.from({ length: 100 }, (_, index) => ({ shard: shardId(index), ...exampleGroup() }));
    const lines = localLines(nodes, exampleStatus({ shards, shardCount: 100 }), PLAIN);
    expect(lines.filter((line) => line.startsWith("SHARD"))).toHaveLength(4);
    expect(lines.join("\n")).toContain("and 36 more");
  });
});

describe("an event as a line", () => {
  const address = { host: "10.0.0.5", port: 7946 };
  const events: readonly (readonly [NodeEvent, string, string])[] = [
    [{ type: "member-joined", nodeId: NODE_A, address }, "info", `member ${NODE_A} joined at 10.0.0.5:7946`],
    [{ type: "member-died", nodeId: NODE_A, address }, "warn", `member ${NODE_A} at 10.0.0.5:7946 is dead`],
    [
      { type: "leader-changed", group: groupId(0), leader: null, term: 4 },
      "debug",
      "system group has no leader in term 4",
    ],
    [
      { type: "leader-changed", group: groupId(3), leader: NODE_B, term: 4 },
      "debug",
      `shard 2 is led by ${NODE_B} in term 4`,
    ],
    [
      {
        type: "configuration-changed",
        group: groupId(1),
        voters: [NODE_A],
        votersOutgoing: [NODE_B],
        learners: [NODE_C],
      },
      "debug",
      `shard 0 has voters ${NODE_A}, joint with ${NODE_B}, learners ${NODE_C}`,
    ],
    [
      { type: "seed-unreachable", seed: address, reason: "seed 10.0.0.5:7946 cannot be reached: refused" },
      "debug",
      "seed 10.0.0.5:7946 cannot be reached: refused; still trying",
    ],
    [
      { type: "cluster-conflict", address, clusterId: clusterId("5f0c000000000000") },
      "warn",
      "10.0.0.5:7946 belongs to another cluster, 5f0c000000000000; the two do not merge: check --seed and --data-dir",
    ],
    [
      { type: "shard-moved", shard: shardId(3), from: [NODE_A], to: [NODE_A, NODE_B] },
      "debug",
      `shard 3 moved from ${NODE_A} to ${NODE_A} ${NODE_B}`,
    ],
    [
      { type: "cold-start", clusterId: clusterId("5f0c000000000000") },
      "warn",
      "cluster 5f0c000000000000 is new and empty, although this node was given seeds: no older cluster was found behind them. " +
        "If there was one, its data is gone (memory mode) or on disks that did not come back: stop these nodes and start those " +
        "with the data first, or restore a backup",
    ],
    [{ type: "map-changed", version: 7 }, "debug", "cluster map is at version 7"],
  ];

  it.each(events)("%j", (event, level, text) => {
    expect(describeEvent(event)).toBe(text);
    expect(eventLevel(event)).toBe(level);
  });
});
