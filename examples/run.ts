/**
 * Runs an example by name: `npm run example -- embedded`. Without one, lists what there is.
 */
import { readdirSync } from "node:fs";

const names = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".js") && file !== "run.js")
  .map((file) => file.slice(0, -".js".length))
  .sort();
const chosen = process.argv[2];
if (chosen !== undefined && names.includes(chosen)) {
  await import(`./${chosen}.js`);
} else {
  console.error(`Which example? npm run example -- ${names.join(" | ")}`);
  process.exitCode = 2;
}
