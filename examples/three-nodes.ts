/**
 * A cluster of three nodes in one process: each shard has a copy on every node, and any node answers any request.
 */
import { CremaNode } from "crema-node";

const founder = await CremaNode.open({ port: 0, gossip: "local" });
const seeds = [`${founder.clusterAddress.host}:${founder.clusterAddress.port}`];
const second = await CremaNode.open({ port: 0, gossip: "local", seeds });
const third = await CremaNode.open({ port: 0, gossip: "local", seeds });

await third.waitUntilReady(20_000);
console.log("members:", third.members().length);

const writes = Array.from({ length: 100 }, (_, index) => {
  const writer = [founder, second, third][index % 3] ?? founder;
  return writer.put(`key:${index}`, `value ${index}`);
});
await Promise.all(writes);

// Written through one node, read through another.
let found = 0;
for (let index = 0; index < 100; index++) {
  const reader = [second, third, founder][index % 3] ?? founder;
  if ((await reader.consistentGet(`key:${index}`)) === `value ${index}`) found++;
}
console.log("found:", found);
console.log("entries:", await founder.entryCount());

const status = await second.status();
console.log("shards with a leader:", status.shards.filter((shard) => shard.leader !== null).length);

for (const node of [third, second, founder]) await node.leave();
