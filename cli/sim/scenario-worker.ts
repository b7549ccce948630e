/** The thread of `crema sim scenario`. */
import { runScenario } from "../../src/sim/scenarios/scenario-run.ts";
import { scenarioFailed } from "./scenario-pool.ts";
import { serveRuns } from "./serve-runs.ts";

serveRuns(runScenario, scenarioFailed);
