/**
 * A node inside this process and a program that uses it through the public API; or, with `map`, the same program with a plain Map
 * behind the same signature. Arguments: `map`; or `node`, how many there will be, its cluster port, and its seeds.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CremaNode } from "../../../src/index.ts";
import { missingToSettle } from "../clusters/settled.ts";
import { waitUntil } from "../wait-until.ts";
import { serveJobs } from "../worker-side.ts";
import { EmbeddedLoad, MapCache } from "./embedded-load.ts";

const SETTLED_WITHIN_MS = 60_000;

const [kind, nodes = "1", port = "0", ...seeds] = process.argv.slice(2);
if (kind === "map") {
  const cache = new MapCache();
  serveJobs((work, _ports, tally, once) => new EmbeddedLoad(work, cache, tally, once));
} else {
  const node = await openNode(Number(port), seeds);
  await waitUntil("the cluster is settled", SETTLED_WITHIN_MS, async () =>
    missingToSettle(await node.status(), Number(nodes)),
  );
  serveJobs((work, _ports, tally, once) => new EmbeddedLoad(work, node, tally, once));
}

/** Of the built package, as a program would import it. */
async function openNode(port: number, seeds: readonly string[]): Promise<CremaNode> {
  const url = pathToFileURL(join(process.cwd(), "dist/src/index.js")).href;
  const product: typeof import("../../../src/index.ts") = await import(url);
  return await product.CremaNode.open({ port, seeds });
}
