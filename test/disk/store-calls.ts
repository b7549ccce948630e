/**
 * A history of calls of a store, and what they add up to: a plain model beside the real one.
 */
import { bootNonce, type GroupId, groupId, logIndex, type NodeId, nodeId, term } from "../../src/base/ids.ts";
import type { Random } from "../../src/base/random.ts";
import type {
  GroupWrite,
  LogBase,
  LogStore,
  NodeRecord,
  StoredPast,
  Tombstone,
} from "../../src/host/ports.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { HardState } from "../../src/raft/ready.ts";

export const SELF: NodeId = nodeId("1111111111111111");

interface ModelGroup {
  base: LogBase;
  checkpoint: string | null;
  entries: Entry[];
  hardState: HardState;
}

/** Makes random calls, to the store and to itself. */
export class StoreModel {
  readonly #groups = new Map<GroupId, ModelGroup>();
  readonly #tombstones = new Map<GroupId, Tombstone>();
  #node: NodeRecord | null = null;
  #boot = 0;

  /** What `load` should answer, in words that can be compared. */
  get state(): string {
    return stateText({
      node: this.#node,
      groups: [...this.#groups].map(([group, { checkpoint, ...rest }]) => ({
        group,
        ...rest,
        checkpoint: checkpoint === null ? null : [new TextEncoder().encode(checkpoint)],
      })),
      tombstones: [...this.#tombstones].map(([group, tombstone]) => ({ group, tombstone })),
      damaged: [],
    });
  }

  saveNode(store: LogStore): void {
    const boot = bootNonce((++this.#boot).toString(16).padStart(16, "0"));
    this.#node = { nodeId: SELF, boots: [boot], clusterId: null, map: null, founding: null };
    store.saveNode(this.#node, fail);
  }

  /** One call of any kind. Resolves when it was given to the store. */
  async call(store: LogStore, random: Random): Promise<void> {
    const group = groupId(random.nextBelow(4));
    const known = this.#groups.get(group);
    if (known === undefined) return this.begin(store, group);
    const kind = random.nextBelow(20);
    if (kind === 0) this.saveNode(store);
    else if (kind === 1) this.remove(store, group, known);
    else if (kind === 2) await this.install(store, group, known);
    else if (kind <= 6) await this.checkpoint(store, group, known, random);
    else this.append(store, group, known, random);
  }

  begin(store: LogStore, group: GroupId): void {
    const base = baseAt(1, 1);
    const hardState = { term: term(1), vote: null, commit: logIndex(1) };
    this.#groups.set(group, { base, checkpoint: null, entries: [], hardState });
    write(store, { group, base, checkpoint: null, entries: [], hardState });
  }

  /** Some entries, perhaps in place of the last ones, perhaps with a new vote. */
  append(store: LogStore, group: GroupId, known: ModelGroup, random: Random): void {
    const kept = Math.max(0, known.entries.length - random.nextBelow(3));
    const votes = random.nextBelow(3) === 0;
    const newest = Math.max(known.hardState.term, known.entries.at(-1)?.term ?? known.base.term);
    const at = newest + (kept < known.entries.length || votes ? 1 : 0);
    const first = known.base.index + kept + 1;
    const entries = Array.from({ length: 1 + random.nextBelow(4) }, (_, item): Entry => {
      const data = new TextEncoder().encode(`entry ${first + item} of ${at}`.repeat(1 + random.nextBelow(9)));
      return { kind: "data", index: logIndex(first + item), term: term(at), data };
    });
    const hardState = votes ? { term: term(at), vote: SELF, commit: known.base.index } : null;
    known.entries = [...known.entries.slice(0, kept), ...entries];
    known.hardState = hardState ?? { ...known.hardState };
    write(store, { group, base: null, checkpoint: null, entries, hardState });
  }

  async checkpoint(store: LogStore, group: GroupId, known: ModelGroup, random: Random): Promise<void> {
    if (known.entries.length === 0) return;
    const covered = 1 + random.nextBelow(known.entries.length);
    const last = known.entries[covered - 1] as Entry;
    const base = baseAt(last.index, last.term);
    const text = `machine of ${group} at ${last.index}`;
    store.checkpoint(group, base, await kept(store, group, text), fail);
    known.entries = known.entries.slice(covered);
    known.base = base;
    known.checkpoint = text;
  }

  async install(store: LogStore, group: GroupId, known: ModelGroup): Promise<void> {
    const at = Math.max(known.hardState.term, known.entries.at(-1)?.term ?? known.base.term);
    const base = baseAt(known.base.index + known.entries.length + 10, at);
    const text = `snapshot of ${group} at ${base.index}`;
    const checkpoint = await kept(store, group, text);
    const hardState = { ...known.hardState, commit: base.index };
    this.#groups.set(group, { base, checkpoint: text, entries: [], hardState });
    write(store, { group, base, checkpoint, entries: [], hardState });
  }

  remove(store: LogStore, group: GroupId, known: ModelGroup): void {
    const last = known.entries.at(-1);
    const tombstone: Tombstone = {
      term: known.hardState.term,
      vote: known.hardState.vote,
      lastIndex: last?.index ?? known.base.index,
      lastTerm: last?.term ?? known.base.term,
    };
    this.#groups.delete(group);
    this.#tombstones.set(group, tombstone);
    store.remove(group, tombstone);
  }
}

/** Everything in it, in a fixed order. Reads checkpoints to their end. */
export function stateText({ node, groups, tombstones, damaged }: StoredPast): string {
  const byGroup = (one: { group: GroupId }, other: { group: GroupId }): number => one.group - other.group;
  const plainGroups = [...groups].sort(byGroup).map(({ group, base, checkpoint, entries, hardState }) => ({
    group,
    base,
    hardState,
    checkpoint: checkpoint === null ? null : [...checkpoint].map(text),
    entries: entries.map((entry) => (entry.kind === "data" ? { ...entry, data: text(entry.data) } : entry)),
  }));
  const record = node === null ? null : [node.nodeId, node.boots];
  return JSON.stringify([
    record,
    plainGroups,
    [...tombstones].sort(byGroup),
    damaged.map(({ group }) => group),
  ]);
}

async function kept(store: LogStore, group: GroupId, content: string) {
  const writer = store.beginCheckpoint(group);
  await writer.write(new TextEncoder().encode(content));
  return new Promise<Parameters<LogStore["checkpoint"]>[2]>((resolve, reject) => {
    writer.finish((error, checkpoint) => (error === null ? resolve(checkpoint) : reject(error)));
  });
}

function write(store: LogStore, one: GroupWrite): void {
  store.write([one], fail);
}

function fail(error: Error | null): void {
  if (error !== null) throw error;
}

function baseAt(index: number, at: number): LogBase {
  return { index: logIndex(index), term: term(at), configuration: configurationOf([SELF]) };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
