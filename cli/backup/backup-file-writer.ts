/**
 * A file that is there whole or not at all: written under another name beside its place, synced, then renamed, and the
 * folder synced, so that a name that was seen survives a power cut together with what it names.
 */
import { rmSync } from "node:fs";
import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandFailed } from "../command-failed.ts";

export class BackupFileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #force: boolean;
  readonly #file: FileHandle;
  #length = 0;
  #committed = false;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    rmSync(this.#temporary, { force: true });
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
    process.kill(process.pid, signal);
  };

  private constructor(path: string, temporary: string, force: boolean, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#force = force;
    this.#file = file;
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  /** Throws `CommandFailed` when the file is there and `force` is not given, or when nothing can be written there. */
  static async open(path: string, force: boolean): Promise<BackupFileWriter> {
    if (!force) await refuseExisting(path);
    const temporary = `${path}.${process.pid}.partial`;
    try {
      return new BackupFileWriter(path, temporary, force, await open(temporary, "w", 0o600));
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          written,
          bytes.length - written,
          this.#length + written,
        );
        written += bytesWritten;
      }
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    this.#length += bytes.length;
  }

  /** Forgets what was written from `length` on. */
  async rewind(length: number): Promise<void> {
    await this.#file.truncate(length);
    this.#length = length;
  }

  /** Gives the file its name. */
  async commit(): Promise<void> {
    try {
      await this.#file.sync();
      if (!this.#force) await refuseExisting(this.#path);
      await rename(this.#temporary, this.#path);
      this.#committed = true;
      await syncFolder(dirname(this.#path));
    } catch (error) {
      throw error instanceof CommandFailed ? error : unwritable(this.#path, error);
    }
  }

  /** Closes; without a commit nothing is left behind. */
  async close(): Promise<void> {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
    await this.#file.close();
    if (!this.#committed) await rm(this.#temporary, { force: true });
  }
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await access(path);
  } catch {
    return;
  }
  throw new CommandFailed(`${path} exists already; --force replaces it`);
}

/** Windows knows no such thing, and keeps names by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unwritable(path: string, error: unknown): CommandFailed {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandFailed(`${path} cannot be written: ${reason}`, { cause: error });
}
