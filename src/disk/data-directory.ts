/**
 * The folder in which one durable node lives:
 *
 *   crema.json    what this is, and in which format
 *   lock/         held by the one process that uses it
 *   log/          the records, in LevelDB
 *   checkpoints/  machines at some index, which records name
 *   archive/      what former ids left behind, or was damaged; the newest few
 *
 * Node.js has no locks of its own, and LevelDB has one that ends with its process. So an empty database stands for the lock, and
 * is taken before anything else is looked at: what another process is writing must not be taken for damaged.
 */
import { access, constants, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Level } from "level";
import { CremaError } from "../base/errors.ts";
import { syncFolder } from "./checkpoint-files.ts";
import { storeError } from "./store-error.ts";

/** Of the folder as a whole. Raised when an older release could not read it. */
export const DATA_FORMAT = 1;
const PRODUCT = "crema-node";
const DESCRIPTION = "crema.json";
/** What may lie in a folder that is not described yet: a file system's own, and what a crash of the first start left. */
const MAY_BE_THERE: readonly string[] = ["lost+found", "lock", `${DESCRIPTION}.tmp`];
const ARCHIVES_KEPT = 3;

export class DataDirectory {
  readonly path: string;
  readonly #lock: Level;

  private constructor(path: string, lock: Level) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Takes the folder at `path`, which is made when it is not there. Rejects with CREMA_STORE_LOCKED, CREMA_STORE_FORMAT (not ours,
   * or newer), CREMA_STORE_UNWRITABLE, CREMA_DISK_FULL; then nothing in it was changed.
   */
  static async open(path: string): Promise<DataDirectory> {
    const absolute = resolve(path);
    try {
      await mkdir(absolute, { recursive: true });
      await access(absolute, constants.W_OK);
      const isNew = !(await isOurs(absolute));
      const lock = new Level(join(absolute, "lock"));
      await lock.open();
      const directory = new DataDirectory(absolute, lock);
      try {
        if (isNew) await describe(absolute);
      } catch (error) {
        await directory.close();
        throw error;
      }
      return directory;
    } catch (error) {
      throw storeError(absolute, error);
    }
  }

  get logPath(): string {
    return join(this.path, "log");
  }

  get checkpointsPath(): string {
    return join(this.path, "checkpoints");
  }

  /** Puts log and checkpoints aside, so that the next to use this folder is a new node. Answers where they are. */
  async archive(why: string): Promise<string> {
    const name = `${new Date().toISOString().replaceAll(":", "").replace(/\..*/, "")}-${why}`;
    const archives = join(this.path, "archive");
    try {
      const target = await freshFolder(archives, name);
      for (const folder of ["log", "checkpoints"])
        await rename(join(this.path, folder), join(target, folder)).catch(ignoreMissing);
      await syncFolder(target);
      await syncFolder(this.path);
      for (const old of (await readdir(archives)).sort().slice(0, -ARCHIVES_KEPT))
        await rm(join(archives, old), { recursive: true, force: true });
      return target;
    } catch (error) {
      throw storeError(this.path, error);
    }
  }

  /** Lets go of the lock. Idempotent. */
  close(): Promise<void> {
    return this.#lock.close();
  }
}

/** Whether the folder is a data directory already; false when it is empty. */
async function isOurs(path: string): Promise<boolean> {
  const text = await readFile(join(path, DESCRIPTION), "utf8").catch(ignoreMissing);
  if (text === undefined) {
    const found = (await readdir(path)).filter((name) => !MAY_BE_THERE.includes(name));
    if (found.length === 0) return false;
    throw new CremaError(
      "CREMA_STORE_FORMAT",
      `${path} is not empty and not a data directory of crema (it holds ${found.slice(0, 3).join(", ")}): choose another`,
    );
  }
  const description = parse(text);
  if (description?.product !== PRODUCT || typeof description.format !== "number")
    throw new CremaError(
      "CREMA_STORE_FORMAT",
      `${join(path, DESCRIPTION)} does not describe a data directory of crema`,
    );
  if (description.format > DATA_FORMAT)
    throw new CremaError(
      "CREMA_STORE_FORMAT",
      `the data directory ${path} has format ${description.format}, and this release knows up to ${DATA_FORMAT}: use the release that wrote it, or a newer one`,
    );
  return true;
}

function parse(text: string): { readonly product?: unknown; readonly format?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function describe(path: string): Promise<void> {
  const target = join(path, DESCRIPTION);
  const file = await open(`${target}.tmp`, "w");
  try {
    await file.writeFile(`${JSON.stringify({ product: PRODUCT, format: DATA_FORMAT })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${target}.tmp`, target);
  await syncFolder(path);
}

async function freshFolder(parent: string, name: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (let attempt = 0; ; attempt++) {
    const folder = join(parent, attempt === 0 ? name : `${name}-${attempt}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
