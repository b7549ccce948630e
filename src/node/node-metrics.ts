/**
 * The numbers of one node, read when somebody asks. Names follow Prometheus: counters end in `_total`, units are in
 * the name. Nothing here is a constant: a number that cannot move is not a metric.
 */
import { groupId } from "../base/ids.ts";
import type { ClusterNode } from "./cluster-node.ts";
import type { NodeMetrics } from "./door.ts";
import { quorumLoss } from "./group-quorum.ts";
import { ShardMachine } from "./shard-machine.ts";

export function collectMetrics(node: ClusterNode): NodeMetrics {
  return { counters: counters(node), gauges: gauges(node) };
}

function counters(node: ClusterNode): Record<string, number> {
  const { router, forwarding, groups, bulk, transfers, backups, gossip, links, control, events } = node;
  return {
    writes_total: router.counters.writes,
    reads_total: router.counters.reads,
    local_reads_total: router.counters.localReads,
    request_failures_total: router.counters.failures,
    request_retries_total: router.counters.retries,
    requests_busy_total: router.counters.busy,
    sessions_opened_total: router.counters.sessionsOpened,
    requests_forwarded_total: forwarding.counters.sent,
    requests_served_for_others_total: forwarding.counters.served,
    requests_redirected_total: forwarding.counters.redirected,
    raft_turns_total: groups.counters.turns,
    raft_log_writes_total: groups.counters.writes,
    raft_entries_appended_total: groups.counters.entriesAppended,
    checkpoints_total: groups.counters.checkpoints,
    checkpoints_failed_total: groups.counters.checkpointsFailed,
    checkpoint_bytes_total: groups.counters.checkpointBytes,
    raft_messages_sent_total: groups.counters.messagesSent,
    raft_messages_received_total: groups.counters.messagesReceived,
    raft_messages_dropped_total: groups.counters.messagesDropped,
    snapshots_started_total: transfers.counters.started,
    snapshots_resumed_total: bulk.counters.resumed,
    snapshot_bytes_sent_total: bulk.counters.bytesSent,
    snapshot_bytes_received_total: bulk.counters.bytesReceived,
    snapshots_sent_total: transfers.counters.sent,
    snapshots_received_total: transfers.counters.received,
    snapshots_failed_total: transfers.counters.failed,
    backups_sent_total: backups.counters.sent,
    backups_failed_total: backups.counters.failed,
    membership_steps_total: control.driver.counters.steps,
    shard_moves_total: node.moves.counters.moves,
    leader_transfers_total: control.driver.counters.transfers,
    gossip_datagrams_sent_total: gossip.counters.datagramsSent,
    gossip_datagrams_received_total: gossip.counters.datagramsReceived,
    gossip_datagrams_malformed_total: gossip.counters.datagramsMalformed,
    gossip_exchanges_total: gossip.counters.exchanges,
    events_total: events.emitted,
    ...node.capacity.counters(),
    ...prefixed("link_", { ...links.counters }),
    ...prefixed("store_", node.storeCounters()),
    ...prefixed("swim_", gossip.swimCounters),
    ...cacheCounters(node),
  };
}

function cacheCounters(node: ClusterNode): Record<string, number> {
  const sums = {
    cache_hits_total: 0,
    cache_misses_total: 0,
    cache_expirations_total: 0,
    cache_evictions_total: 0,
    cache_idle_expirations_total: 0,
    cache_commands_applied_total: 0,
    cache_commands_replayed_total: 0,
  };
  for (const group of node.groups.groups()) {
    if (!(group.machine instanceof ShardMachine)) continue;
    const { hits, misses, expirations, evictions, idleExpirations, commandsApplied, commandsReplayed } =
      group.machine.cache.statistics;
    sums.cache_hits_total += hits;
    sums.cache_misses_total += misses;
    sums.cache_expirations_total += expirations;
    sums.cache_evictions_total += evictions;
    sums.cache_idle_expirations_total += idleExpirations;
    sums.cache_commands_applied_total += commandsApplied;
    sums.cache_commands_replayed_total += commandsReplayed;
  }
  return sums;
}

function gauges(node: ClusterNode): Record<string, number> {
  let led = 0;
  let quiesced = 0;
  let keys = 0;
  let bytes = 0;
  let accountedBytes = 0;
  let logBytes = 0;
  let hosted = 0;
  let snapshots = 0;
  for (const group of node.groups.groups()) {
    hosted++;
    if (group.isLeader) led++;
    if (group.raft.quiesced) quiesced++;
    logBytes += group.raft.logBytes;
    if (!(group.machine instanceof ShardMachine)) continue;
    keys += group.machine.cache.entryCount;
    snapshots += group.machine.cache.snapshotsOpen;
    bytes += group.machine.cache.keyBytes + group.machine.cache.valueBytes;
    accountedBytes += group.machine.cache.accountedBytes;
  }
  return {
    groups_hosted: hosted,
    groups_led: led,
    groups_quiesced: quiesced,
    groups_failed: node.groups.failedGroups.size,
    raft_log_bytes: logBytes,
    disk_full: node.standing.diskFull === null ? 0 : 1,
    disk_stalled: node.standing.diskStalled ? 1 : 0,
    cache_replica_keys: keys,
    cache_replica_bytes: bytes,
    snapshots_sending: node.bulk.sending,
    snapshots_receiving: node.bulk.receiving,
    snapshots_suspended: node.bulk.suspended,
    cache_snapshots_open: snapshots,
    cache_accounted_bytes: accountedBytes,
    requests_outstanding: node.router.outstanding,
    rebalance_paused: node.control.map?.settings.rebalancePaused === true ? 1 : 0,
    watches_open: node.watches.open,
    cluster_members: node.control.map?.members.length ?? 0,
    cluster_map_version: node.control.map?.version ?? 0,
    ...shardGauges(node),
    gossip_local_health: node.gossip.localHealth,
    ready: node.notReadyReason() === null ? 1 : 0,
  };
}

/** Of all shards of the cluster, as this node sees them. Without a quorum: nobody can lead before machines return. */
function shardGauges(node: ClusterNode): Record<string, number> {
  let withoutLeader = 0;
  let withoutQuorum = 0;
  for (let shard = 0; shard < (node.control.map?.shardCount ?? 0); shard++) {
    const group = groupId(shard + 1);
    if (node.leaderOf(group) !== null) continue;
    withoutLeader++;
    if (quorumLoss(node, group) !== null) withoutQuorum++;
  }
  return { shards_without_leader: withoutLeader, shards_without_quorum: withoutQuorum };
}

/** `packetsSent` under `swim_` becomes `swim_packets_sent_total`. */
function prefixed(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  const named: Record<string, number> = {};
  for (const [name, value] of Object.entries(counters)) {
    named[`${prefix}${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`] = value;
  }
  return named;
}
