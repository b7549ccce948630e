/**
 * Which configuration was in force where in the log. A configuration is in force from the moment its entry is
 * appended, committed or not, and ceases to be when the entry is truncated: so the older ones are kept, back to the
 * base of the log.
 * @see Raft §6
 */
import { assert } from "../base/assert.ts";
import type { LogIndex } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";

interface Record {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** The base configuration and every later one still in the log. Invariant: indexes rise, all above the base's. */
export class ConfigurationHistory {
  #records: Record[];

  constructor(base: LogIndex, configuration: Configuration) {
    this.#records = [{ index: base, configuration }];
  }

  /** The configuration in force. */
  get current(): Configuration {
    return this.#latest().configuration;
  }

  /** Where the configuration in force was appended; the base's index when no entry in the log changed it. */
  get currentIndex(): LogIndex {
    return this.#latest().index;
  }

  append(index: LogIndex, configuration: Configuration): void {
    assert(index > this.currentIndex, "configurations are appended in order", { index });
    this.#records.push({ index, configuration });
  }

  /** Forgets configurations at or above `index`. True when the one in force changed by it. */
  truncateFrom(index: LogIndex): boolean {
    assert(index > this.#base().index, "the base configuration is not truncated", { index });
    const before = this.#records.length;
    while (this.#latest().index >= index) this.#records.pop();
    return this.#records.length !== before;
  }

  /** The configuration in force at `index`, which is not below the base. */
  at(index: LogIndex): Configuration {
    for (let record = this.#records.length - 1; record >= 0; record--) {
      const { index: since, configuration } = this.#records[record] as Record;
      if (since <= index) return configuration;
    }
    assert(false, "an index asked for is not below the base", { index });
  }

  /** Moves the base up to `index`: what was in force there becomes the base configuration. */
  compactTo(index: LogIndex): void {
    const configuration = this.at(index);
    this.#records = [{ index, configuration }, ...this.#records.filter((record) => record.index > index)];
  }

  /** Starts over from a snapshot. */
  reset(base: LogIndex, configuration: Configuration): void {
    this.#records = [{ index: base, configuration }];
  }

  #latest(): Record {
    return this.#records[this.#records.length - 1] as Record;
  }

  #base(): Record {
    return this.#records[0] as Record;
  }
}
