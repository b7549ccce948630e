/**
 * What is compared with what. A row is the same work for two systems; those who use the same clusters stand together, because
 * clusters are started when they are needed and ended when they are not.
 */
import type { ClusterKind } from "./clusters/cluster.ts";
import { DEFAULT_DATA, type EtcdWork, type RespWork, type Work } from "./job.ts";

export interface Side {
  readonly cluster: ClusterKind;
  readonly work: Work;
  /** Only the first door, where a side could use all of them. */
  readonly oneDoor: boolean;
}

export interface Row {
  readonly name: string;
  /** `rate`: operations a second. `latency`: p50 and p99 in milliseconds. */
  readonly figure: "rate" | "latency";
  readonly ours: Side;
  /** null: there is a goal, and nothing to compare with. */
  readonly peer: Side | null;
}

/** etcd has no pipeline: what stands against one is so many clients, near which it gives most. */
const ETCD_CLIENTS_FOR_PIPELINE = 256;

const against = {
  etcd: (name: string, ours: Side, command: EtcdWork["command"], clients: number): Row => ({
    name: `${name}, against etcd${clients === 1 ? "" : `, ${clients} clients`}`,
    figure: clients === 1 ? "latency" : "rate",
    ours,
    peer: { cluster: "etcd", work: { type: "etcd", command, clients }, oneDoor: false },
  }),
  redisWait: (
    name: string,
    ours: Side,
    cluster: "redis" | "redis-durable",
    work: RespWork,
    waits: Exclude<RespWork["waitForReplica"], "no">,
  ): Row => ({
    name: `${name}, against ${waits === "with-batch" ? "Redis + WAIT 1" : "Redis, then WAIT 1"}`,
    figure: "rate",
    ours,
    peer: { cluster, work: { ...work, waitForReplica: waits }, oneDoor: false },
  }),
};

export const ROWS: readonly Row[] = [
  ...writesAgainstEtcd("SET in memory", "crema"),
  ...readsAgainstEtcd(),
  ...writesAgainstRedis("SET in memory", "crema", "redis", [
    [64, 1, "with-batch"],
    [64, 1, "when-answered"],
    [64, 16, "with-batch"],
    [64, 16, "when-answered"],
    [256, 1, "with-batch"],
  ]),
  ...againstBare("SET in memory", "SET", "crema", "bare", [
    [64, 1],
    [64, 16],
    [256, 1],
  ]),
  ...againstBare("linearizable GET", "GET", "crema", "bare", [
    [64, 1],
    [64, 16],
  ]),
  ...localReads(),
  ...byRedisBenchmark(),
  ...writesAgainstEtcd("SET synced", "crema-durable"),
  ...writesAgainstRedis("SET synced", "crema-durable", "redis-durable", [
    [64, 1, "with-batch"],
    [64, 16, "with-batch"],
  ]),
  ...againstBare("SET synced", "SET", "crema-durable", "bare-durable", [
    [64, 1],
    [64, 16],
  ]),
  ...embedded(),
];

function writesAgainstEtcd(name: string, cluster: ClusterKind): readonly Row[] {
  const shapes = [
    [1, 1, 1],
    [64, 1, 64],
    [64, 16, ETCD_CLIENTS_FOR_PIPELINE],
    [256, 1, 256],
  ] as const;
  return shapes.map(([connections, pipeline, clients]) =>
    against.etcd(
      `${name}, ${shapeText(connections, pipeline)}`,
      side(cluster, resp("SET", connections, pipeline)),
      "put",
      clients,
    ),
  );
}

function readsAgainstEtcd(): readonly Row[] {
  const shapes = [
    [64, 1, 64],
    [64, 16, ETCD_CLIENTS_FOR_PIPELINE],
  ] as const;
  return shapes.map(([connections, pipeline, clients]) =>
    against.etcd(
      `linearizable GET, ${shapeText(connections, pipeline)}`,
      side("crema", resp("GET", connections, pipeline)),
      "range",
      clients,
    ),
  );
}

function writesAgainstRedis(
  name: string,
  ours: ClusterKind,
  peer: "redis" | "redis-durable",
  shapes: readonly (readonly [connections: number, pipeline: number, "with-batch" | "when-answered"])[],
): readonly Row[] {
  return shapes.map(([connections, pipeline, waits]) => {
    const work = resp("SET", connections, pipeline);
    const title = `${name}, ${shapeText(connections, pipeline)}`;
    return against.redisWait(title, side(ours, work), peer, work, waits);
  });
}

/** The least that can be done for the same requests: what sockets and turns take, whoever uses them. */
function againstBare(
  name: string,
  command: RespWork["command"],
  ours: ClusterKind,
  peer: "bare" | "bare-durable",
  shapes: readonly (readonly [connections: number, pipeline: number])[],
): readonly Row[] {
  return shapes.map(([connections, pipeline]) => {
    const work = resp(command, connections, pipeline);
    return {
      name: `${name}, ${shapeText(connections, pipeline)}, against bare nodes`,
      figure: "rate",
      ours: side(ours, work),
      peer: side(peer, work),
    };
  });
}

function localReads(): readonly Row[] {
  const peers = [
    ["redis-server", "redis"],
    ["one bare node", "bare-one"],
  ] as const;
  return peers.flatMap(([title, peer]) =>
    [1, 16].map((pipeline) => {
      const work = resp("GET", 64, pipeline);
      return {
        name: `local GET of one node, ${shapeText(64, pipeline)}, against ${title}`,
        figure: "rate" as const,
        ours: { ...side("crema", { ...work, readOnly: true }), oneDoor: true },
        peer: side(peer, work),
      };
    }),
  );
}

/** Whether our own load is to be trusted, and what Redis' own makes of one door. */
function byRedisBenchmark(): readonly Row[] {
  return [1, 16].flatMap((pipeline) => {
    const shape = shapeText(64, pipeline);
    const work: Work = { type: "redis-benchmark", command: "GET", connections: 64, pipeline };
    const checked: Row = {
      name: `the load itself: GET of redis-server, ${shape}, against redis-benchmark`,
      figure: "rate",
      ours: side("redis", resp("GET", 64, pipeline)),
      peer: side("redis", work),
    };
    return [
      checked,
      ...(["SET", "GET"] as const).map((command) => ({
        name: `${command} at one node by redis-benchmark, ${shape}, against redis-server`,
        figure: "rate" as const,
        ours: { ...side("crema", { ...work, command }), oneDoor: true },
        peer: side("redis", { ...work, command }),
      })),
    ];
  });
}

function embedded(): readonly Row[] {
  const get: Work = { type: "embedded", command: "get", outstanding: 1 };
  const peek: Work = { type: "embedded", command: "peek", outstanding: 1 };
  const put: Work = { type: "embedded", command: "put", outstanding: 256 };
  return [
    {
      name: "get() in process, against Map",
      figure: "rate",
      ours: side("embedded-one", get),
      peer: side("map", get),
    },
    {
      name: "peek() in process, against Map",
      figure: "rate",
      ours: side("embedded-one", peek),
      peer: side("map", peek),
    },
    {
      name: "put() in process, one node, 256 outstanding",
      figure: "rate",
      ours: side("embedded-one", put),
      peer: null,
    },
    {
      name: "put() in process, three nodes, 256 outstanding",
      figure: "rate",
      ours: side("embedded-three", put),
      peer: null,
    },
  ];
}

function side(cluster: ClusterKind, work: Work): Side {
  return { cluster, work, oneDoor: false };
}

function resp(command: RespWork["command"], connections: number, pipeline: number): RespWork {
  return {
    type: "resp",
    command,
    connections,
    pipeline,
    waitForReplica: "no",
    readOnly: false,
    perSecond: null,
    data: DEFAULT_DATA,
  };
}

function shapeText(connections: number, pipeline: number): string {
  return connections === 1 ? "one client" : `${connections} x P=${pipeline}`;
}
