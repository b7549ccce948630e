/**
 * Whatever is dropped, moved and swept away meanwhile, what a restart finds is what was written.
 */
import { readdirSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { LevelSubject } from "./level-subject.ts";
import { StoreModel, stateText } from "./store-calls.ts";

const EAGER = { dropBytesMin: 1, dropRecordsMin: 1, cleanBytesMin: 2_000 };
let subject: LevelSubject;

afterEach(() => subject.dispose());

it.each([1, 2, 3])(
  "a log that is tidied all the time loads as if it never were (%i checkpoints kept)",
  async (checkpointsKept) => {
    subject = new LevelSubject({ checkpointsKept, fsync: { type: "never" } }, EAGER);
    const random = new Random(checkpointsKept, 5);
    const model = new StoreModel();
    let store = subject.open();
    await store.load();
    model.saveNode(store);
    let dropped = 0;
    let restated = 0;
    for (let life = 0; life < 12; life++) {
      for (let call = 0; call < 60; call++) {
        await model.call(store, random);
        if (random.nextBelow(5) === 0) await store.idle();
      }
      await store.idle();
      const counters = store.counters();
      dropped += counters.recordsDropped ?? 0;
      restated += counters.groupsRestated ?? 0;
      await subject.crash(store);
      store = subject.open();
      const past = await store.load();
      expect(past.damaged).toEqual([]);
      expect(stateText(past)).toBe(model.state);
      expect(readdirSync(subject.checkpointsPath).length).toBeLessThanOrEqual(4 * checkpointsKept);
    }
    expect(dropped).toBeGreaterThan(300);
    expect(restated).toBeGreaterThan(3);
  },
);
