/** Folders for the data of servers. They are gone when this process is, however that ends, save by SIGKILL. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const standing = new Set<TemporaryDirectory>();
process.once("exit", () => {
  for (const directory of standing) directory.remove();
});

export class TemporaryDirectory {
  readonly path = mkdtempSync(join(tmpdir(), "crema-bench-"));

  constructor() {
    standing.add(this);
  }

  /** With all that is in it. Idempotent. */
  remove(): void {
    standing.delete(this);
    rmSync(this.path, { recursive: true, force: true });
  }
}
