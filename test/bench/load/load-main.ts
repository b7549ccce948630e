/**
 * The load process: does one job after the other. A process of its own, so that what the load costs can be told apart.
 */
import type { Work } from "../job.ts";
import type { Tally } from "../tally.ts";
import { serveJobs } from "../worker-side.ts";
import { EtcdLoad } from "./etcd-load.ts";
import type { Load } from "./load.ts";
import { RespLoad } from "./resp-load.ts";

serveJobs((work: Work, ports: readonly number[], tally: Tally, once: boolean): Load => {
  switch (work.type) {
    case "resp":
      return new RespLoad(work, ports, tally, once);
    case "etcd":
      return new EtcdLoad(work, ports, tally, once);
    default:
      throw new Error(`a load process cannot do ${work.type} work`);
  }
});
