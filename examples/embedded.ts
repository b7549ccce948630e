/**
 * One node inside this very process: no server, no port for clients, no configuration.
 * It founds a cluster of one and leads all shards at once; other processes could join it at `node.clusterAddress`.
 */
import { CremaNode } from "crema-node";

// Port 0: any free one, so that this example runs beside whatever else runs here.
const node = await CremaNode.open({ port: 0 });

// What happens to keys that start with "user:" from now on.
const watching = new AbortController();
const firstChange = (async () => {
  for await (const change of node.watch("user:", { signal: watching.signal })) return change;
  return null;
})();

await node.put("user:123", "Alice", { ttlMs: 3_600_000 });
console.log("local read:", await node.get("user:123"));
console.log("linearizable read:", await node.consistentGet("user:123"));
console.log("local read without waiting:", node.peek("user:123"));

const change = await firstChange;
console.log("watched:", change?.type, change?.key, change?.value);

console.log("put if absent, though present:", await node.put("user:123", "Bob", { ifAbsent: true }));
console.log("counted to:", await node.increment("visits", 5));
console.log("deleted:", await node.delete("user:123"), "then found:", await node.consistentGet("user:123"));

watching.abort();
await node.leave();
