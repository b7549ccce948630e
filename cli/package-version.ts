/**
 * The version both commands report: the one in `package.json`, found by the package's own name.
 */
import { createRequire } from "node:module";

export function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)("crema-node/package.json");
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  return "unknown";
}
