/**
 * The one line that says: every door is open and the node is a member of a cluster with a map.
 * Programs that start nodes wait for it; under `--log-format json` it carries `nodeId`, `clusterId`, `cluster`,
 * `resp` and `http`.
 */
export const READY_MESSAGE = "crema-node ready";
