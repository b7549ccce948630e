/**
 * One RESP door for the tests of one command: opened before them, emptied before each.
 */
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { FakeAdmin, FakeDoor } from "../fake-door.ts";
import { ErrorReply, type RespTestClient, type Value } from "../resp-client.ts";
import { openRespDoor, type RespDoorFixture, type RespFixtureOptions } from "../resp-fixture.ts";

export interface UsedDoor {
  readonly door: FakeDoor;
  readonly admin: FakeAdmin;
  readonly fixture: RespDoorFixture;
  /** Asks on a connection that is fresh for each test; words are split at spaces. */
  ask(words: string): Promise<Value>;
  connect(): Promise<RespTestClient>;
  /** Keys `prefix0`, `prefix1`, ... of which no two share a shard. */
  spread(prefix: string, count: number): string[];
}

export function useDoor(options: RespFixtureOptions = {}): UsedDoor {
  let fixture: RespDoorFixture;
  let client: RespTestClient;
  beforeAll(async () => {
    fixture = await openRespDoor({ shards: 4, answers: "shuffled", ...options });
  });
  beforeEach(async () => {
    fixture.door.failWith(null);
    fixture.door.skewMs = 0;
    fixture.door.asked.length = 0;
    client?.destroy();
    client = await fixture.connect();
    await client.ask("FLUSHALL");
    fixture.door.asked.length = 0;
  });
  afterAll(() => fixture.close());
  return {
    get door() {
      return fixture.door;
    },
    get admin() {
      return fixture.admin;
    },
    get fixture() {
      return fixture;
    },
    ask: (words) => client.ask(...words.split(" ")),
    connect: () => fixture.connect(),
    spread(prefix, count) {
      const found = new Map<number, string>();
      for (let n = 0; found.size < count; n++) {
        const key = `${prefix}${n}`;
        const shard = fixture.door.shardOf(key);
        if (!found.has(shard)) found.set(shard, key);
      }
      return [...found.values()];
    },
  };
}

export function refusal(text: string): ErrorReply {
  return new ErrorReply(text);
}
