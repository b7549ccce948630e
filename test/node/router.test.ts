/**
 * How many requests of a node wait: each until its end, whatever that is.
 */
import { expect, test } from "vitest";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const SHARDS = 4;
const KEYS = Array.from({ length: 40 }, (_, number) => `key:${number}`);

function endOf(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => "answered",
    (error: { readonly code: string }) => error.code,
  );
}

test("requests are counted until they are answered, given up at their own deadline, or closed with their node", async () => {
  const cluster = new VirtualCluster(81);
  for (const number of [1, 2, 3]) cluster.start(number, number === 1 ? [] : [1], { shards: SHARDS });
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  const [first, second, third] = cluster.members as [VirtualMember, VirtualMember, VirtualMember];
  const { cache, router } = first.node;

  const answered = Promise.all(KEYS.map((key) => endOf(cache.put(key, "1"))));
  expect(router.outstanding).toBe(KEYS.length);
  expect(new Set(await cluster.settle(answered))).toEqual(new Set(["answered"]));
  expect(router.outstanding).toBe(0);

  for (const other of [second, third]) cluster.network.partition(first.address, other.address);
  const early = Promise.all(KEYS.map((key) => endOf(cache.put(key, "2", { timeoutMs: 300 }))));
  const late = Promise.all(KEYS.map((key) => endOf(cache.put(key, "3", { timeoutMs: 60_000 }))));
  expect(router.outstanding).toBe(2 * KEYS.length);
  for (const end of await cluster.settle(early)) expect(end).toMatch(/^CREMA_(TIMEOUT|NO_LEADER)$/);
  expect(router.outstanding).toBe(KEYS.length);

  cluster.network.heal();
  expect(new Set(await cluster.settle(late, 60_000))).toEqual(new Set(["answered"]));
  expect(router.outstanding).toBe(0);
  // An answer that comes after its request was given up ends nothing a second time.
  await cluster.run(5_000);
  expect(router.outstanding).toBe(0);
  expect(await cluster.settle(endOf(cache.get("key:0")))).toBe("answered");

  const left = Promise.all(KEYS.map((key) => endOf(cache.put(key, "4"))));
  expect(router.outstanding).toBe(KEYS.length);
  await cluster.settle(first.node.close());
  expect(new Set(await cluster.settle(left))).toEqual(new Set(["CREMA_CLOSED"]));
  expect(router.outstanding).toBe(0);
});
