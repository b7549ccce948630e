/**
 * Machines come and go; the data stays. A node joins a running cluster, receives copies of the shards,
 * and goes on alone after the one that founded the cluster has left.
 */
import { CremaNode } from "crema-node";

const first = await CremaNode.open({ port: 0, gossip: "local", name: "first" });
for (let index = 0; index < 50; index++) await first.put(`key:${index}`, String(index));
console.log("alone:", first.members().length, "member");

let joins = 0;
first.on("member-joined", () => {
  joins++;
});

// All the second needs to know is one machine that already runs.
const seeds = [`${first.clusterAddress.host}:${first.clusterAddress.port}`];
const second = await CremaNode.open({ port: 0, gossip: "local", name: "second", seeds });
await second.waitUntilReady(20_000);
console.log("one cluster:", first.clusterId === second.clusterId, "joins seen:", joins);
console.log("together:", second.members().filter((member) => member.state === "alive").length, "members");

// Asked before a machine is stopped, by a person or by a script.
console.log("why not stop one now:", await first.unsafeToStopReason());

// first.leave() hands everything over and goes; draining it from another node is the same from afar.
await second.drain(first.nodeId);
let found = 0;
for (let index = 0; index < 50; index++) {
  if ((await second.consistentGet(`key:${index}`)) === String(index)) found++;
}
console.log("after the founder left:", found, "of 50 keys");

await first.leave(); // It is on its way already: waits for the end.
await second.leave();
