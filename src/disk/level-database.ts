/**
 * The records of a log store in LevelDB: the key is the sequence number, the value the record. LevelDB appends a batch to its
 * own write-ahead log and syncs that once, so however many records a batch has, it costs one sync.
 */
import { Level } from "level";

export interface StoredRecord {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** What the store needs of its database. Tests put faults in its way. */
export interface RecordDatabase {
  /** Takes the lock. Rejects with what {@link storeError} understands. */
  open(): Promise<void>;
  /** All of them or none; durable when `sync`, and with it everything before. */
  write(records: readonly StoredRecord[], sync: boolean): Promise<void>;
  /** Everything that was written becomes durable. */
  sync(): Promise<void>;
  /** In order of sequence. */
  values(): AsyncIterable<Uint8Array>;
  read(sequence: number): Promise<Uint8Array | undefined>;
  /** Removes the records before `sequence`; after a crash some of them may be there again, the newest of them first. */
  drop(sequence: number): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What is not yet in sorted tables. Twice that in memory at most, and read again at a restart. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const SEQUENCE_BYTES = 8;
/** Sorts behind every sequence number. Written to have something to sync. */
const SYNC_MARK = Buffer.from([0xff]);

type Opened = Level<Uint8Array, Uint8Array>;

export class LevelDatabase implements RecordDatabase {
  readonly #directory: string;
  /** Made only when it is to be opened: it opens by itself, and must not before its log was looked at. */
  #level: Opened | null = null;

  /** `directory` is created when it is not there. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async open(): Promise<void> {
    const level: Opened = new Level(this.#directory, {
      keyEncoding: "view",
      valueEncoding: "view",
      // Entries are what users store: compressing them again costs more turns than it saves bytes.
      compression: false,
      writeBufferSize: WRITE_BUFFER_BYTES,
    });
    await level.open();
    this.#level = level;
  }

  async write(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    const [first] = records;
    if (first !== undefined && records.length === 1)
      return this.#opened.put(keyOf(first.sequence), first.bytes, { sync });
    const puts = records.map(({ sequence, bytes }) => {
      return { type: "put", key: keyOf(sequence), value: bytes } as const;
    });
    return this.#opened.batch(puts, { sync });
  }

  async sync(): Promise<void> {
    return this.#opened.put(SYNC_MARK, SYNC_MARK, { sync: true });
  }

  values(): AsyncIterable<Uint8Array> {
    return this.#opened.values({ lt: SYNC_MARK });
  }

  async read(sequence: number): Promise<Uint8Array | undefined> {
    return this.#opened.get(keyOf(sequence));
  }

  async drop(sequence: number): Promise<void> {
    return this.#opened.clear({ lt: keyOf(sequence) });
  }

  async close(): Promise<void> {
    const level = this.#level;
    this.#level = null;
    await level?.close();
  }

  get #opened(): Opened {
    if (this.#level === null) throw new Error("the database is not open");
    return this.#level;
  }
}

/** Big-endian, so that the order of the keys is that of the numbers. */
function keyOf(sequence: number): Uint8Array {
  const key = new Uint8Array(SEQUENCE_BYTES);
  new DataView(key.buffer).setBigUint64(0, BigInt(sequence));
  return key;
}
