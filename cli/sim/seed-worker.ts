/** The thread of `crema sim run`. */
import { runSeed } from "../../src/sim/run-seed.ts";
import { serveRuns } from "./serve-runs.ts";
import { simulatorFailed } from "./simulator-failed.ts";

serveRuns(runSeed, simulatorFailed);
