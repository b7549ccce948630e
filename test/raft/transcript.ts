/**
 * Runs a readable scenario: a command, optional comments before it, `----`, and exactly what happens. The scenarios live in
 * `test/scenarios/raft-*.txt`; what each command means is the switch in {@link Transcript.run}.
 */
import type { NodeId } from "../../src/base/ids.ts";
import { type Configuration, configurationOf, EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import type { MembershipChange, MembershipStep } from "../../src/raft/configuration-change.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import type { Ready } from "../../src/raft/ready.ts";
import { bytesOf, Cluster, type Envelope, type Host, nodeOf, numberOf, textOf } from "./cluster.ts";

export interface Block {
  readonly line: number;
  /** Comments and blank lines before the command, kept when a scenario is written anew. */
  readonly preface: string;
  readonly command: string;
  readonly expected: string;
}

/** Blocks are separated by a blank line; an answer therefore never contains one. */
export function parseTranscript(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let at = 0;
  while (at < lines.length) {
    const preface: string[] = [];
    while (at < lines.length && (lines[at] === "" || lines[at]?.startsWith("#")))
      preface.push(lines[at++] ?? "");
    if (at >= lines.length) break;
    const line = at + 1;
    const command = lines[at++] ?? "";
    if (lines[at] !== "----") throw new Error(`line ${line}: a command is followed by ----`);
    const expected: string[] = [];
    for (at++; at < lines.length && lines[at] !== ""; at++) expected.push(lines[at] ?? "");
    blocks.push({ line, preface: preface.join("\n"), command, expected: expected.join("\n") });
  }
  return blocks;
}

export class Transcript {
  #cluster = new Cluster();
  #lines: string[] = [];

  /** Executes one command; the answer is `ok` when there is nothing to tell. */
  run(command: string): string {
    this.#lines = [];
    const [verb = "", ...words] = command.split(" ");
    const first = Number(words[0]);
    switch (verb) {
      case "options":
        this.#cluster = new Cluster({ raft: optionsOf(words) });
        break;
      case "add":
        this.#add(words);
        break;
      case "campaign":
        this.#cluster.raft(first).campaign();
        break;
      case "propose":
        this.#say(outcome(this.#cluster.raft(first).propose(words.slice(1).map(bytesOf))));
        break;
      case "change":
        this.#say(outcome(this.#cluster.raft(first).proposeMembership(changeOf(words.slice(1)))));
        break;
      case "read":
        this.#say(this.#cluster.raft(first).readIndex(Number(words[1])));
        break;
      case "transfer":
        this.#say(outcome(this.#cluster.raft(first).transferLeader(nodeOf(Number(words[1])))));
        break;
      case "forget-leader":
        this.#cluster.raft(first).forgetLeader();
        break;
      case "wake":
        this.#cluster.raft(first).wake();
        break;
      case "unreachable":
        this.#cluster.raft(first).reportUnreachable(nodeOf(Number(words[1])));
        break;
      case "tick":
        for (let count = Number(words[1] ?? 1); count > 0; count--) this.#cluster.raft(first).tick();
        break;
      case "ready":
        this.#process(this.#cluster.host(first), true);
        break;
      case "deliver":
        this.#move(words, (envelope) => this.#cluster.deliver(envelope));
        break;
      case "drop":
        this.#move(words, (envelope) => this.#cluster.drop(envelope));
        break;
      case "settle":
        this.#settle(words.includes("all"));
        break;
      case "isolate":
        this.#cluster.isolate(first);
        break;
      case "heal":
        this.#cluster.heal();
        break;
      case "slow-disk":
        this.#cluster.host(first).persistsAtOnce = false;
        break;
      case "fast-disk":
        this.#cluster.host(first).persistsAtOnce = true;
        break;
      case "persist":
        this.#cluster.host(first).persist(words[1] === undefined ? undefined : Number(words[1]));
        break;
      case "crash":
        this.#cluster.host(first).restart();
        break;
      case "destroy":
        this.#destroy(first);
        break;
      case "compact":
        this.#cluster.host(first).compact(Number(words[1]));
        break;
      case "network":
        for (const { message } of this.#cluster.network) this.#say(describe(message));
        break;
      case "log":
        this.#log(this.#cluster.host(first));
        break;
      case "status":
        for (const word of words) this.#status(this.#cluster.host(Number(word)));
        break;
      default:
        throw new Error(`unknown command ${verb}`);
    }
    return this.#lines.length === 0 ? "ok" : this.#lines.join("\n");
  }

  #say(line: string): void {
    this.#lines.push(line);
  }

  #add(words: readonly string[]): void {
    const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
    const blank = words.includes("blank");
    const configuration = blank ? EMPTY_CONFIGURATION : configurationOf(numbers.map(nodeOf));
    for (const number of numbers) this.#cluster.add(number, configuration);
  }

  /** The replica is destroyed, and the node given the group again, knowing what it owes to its former life. */
  #destroy(number: number): void {
    const { term, vote, lastIndex, lastTerm } = this.#cluster.raft(number).status();
    this.#cluster.add(number, EMPTY_CONFIGURATION, { term, vote, lastIndex, lastTerm });
  }

  #move(words: readonly string[], act: (envelope: Envelope) => void): void {
    const [path = "*", ...types] = words;
    const [from, to] = path === "*" ? ["*", "*"] : path.split(">");
    const kept: Envelope[] = [];
    const moved: Envelope[] = [];
    for (const envelope of this.#cluster.network) {
      const { message } = envelope;
      const fits =
        (from === "*" || Number(from) === numberOf(message.from)) &&
        (to === "*" || Number(to) === numberOf(message.to)) &&
        (types.length === 0 || types.includes(message.type));
      (fits ? moved : kept).push(envelope);
    }
    this.#cluster.network = kept;
    for (const envelope of moved) {
      this.#say(describe(envelope.message));
      act(envelope);
    }
  }

  #settle(all: boolean): void {
    for (let round = 0; round < 100; round++) {
      for (const host of this.#cluster.hosts.values()) this.#process(host, all);
      const batch = this.#cluster.network;
      if (batch.length === 0) return;
      this.#cluster.network = [];
      for (const envelope of batch) this.#cluster.deliver(envelope);
    }
    throw new Error("the cluster does not come to rest");
  }

  #process(host: Host, all: boolean): void {
    const sent = host.process((ready) => this.#tell(host, ready, all));
    this.#cluster.network.push(...sent);
    for (const { context, index } of host.reads.splice(0))
      this.#say(`${host.number} may answer read ${context} at ${index}`);
    for (const context of host.readsLost.splice(0)) this.#say(`${host.number} lost read ${context}`);
    for (const node of host.snapshotsWanted.splice(0))
      this.#say(`${host.number} wants a snapshot sent to ${numberOf(node)}`);
  }

  #tell(host: Host, ready: Ready, all: boolean): void {
    const { number } = host;
    const { leadership, configuration, persist, messages, committed } = ready;
    if (leadership !== null) {
      const { role, term, leader } = leadership;
      this.#say(
        `${number} is ${role} in term ${term}, leader ${leader === null ? "unknown" : numberOf(leader)}`,
      );
    }
    if (configuration !== null) this.#say(`${number} is under ${drawConfiguration(configuration)}`);
    if (persist !== null && (all || persist.snapshot !== null)) {
      const parts: string[] = [];
      if (persist.snapshot !== null)
        parts.push(`snapshot ${persist.snapshot.term}/${persist.snapshot.index}`);
      if (persist.hardState !== null) {
        const { term, vote, commit } = persist.hardState;
        parts.push(`term ${term} vote ${vote === null ? "none" : numberOf(vote)} commit ${commit}`);
      }
      if (persist.entries.length > 0) parts.push(drawEntries(persist.entries));
      this.#say(`${number} writes #${persist.receipt}: ${parts.join("; ")}`);
    }
    if (all) for (const message of messages) this.#say(`${number} sends ${describe(message)}`);
    if (committed.length > 0) this.#say(`${number} applies ${drawEntries(committed)}`);
  }

  #log(host: Host): void {
    const { base, entries } = host.disk;
    this.#say(`${host.number} on disk: base ${base.term}/${base.index} ${drawEntries(entries)}`.trimEnd());
  }

  #status(host: Host): void {
    const status = host.raft.status();
    const { role, term, vote, commit, stable, lastTerm, lastIndex, quiesced, transferee } = status;
    let line =
      `${host.number} ${role} term=${term} vote=${vote === null ? "none" : numberOf(vote)} ` +
      `commit=${commit} stable=${stable} last=${lastTerm}/${lastIndex} ${drawConfiguration(status.configuration)}`;
    if (quiesced) line += " quiesced";
    if (transferee !== null) line += ` transferee=${numberOf(transferee)}`;
    this.#say(line);
    for (const [node, progress] of status.progress) {
      const { match, next, state, recentActive, learner } = progress;
      const notes = `${learner ? " learner" : ""}${recentActive ? "" : " silent"}`;
      this.#say(`  ${numberOf(node)}: ${state} match=${match} next=${next}${notes}`);
    }
  }
}

function outcome(result: { readonly type: string }): string {
  const { type, ...rest } = result;
  const parts = Object.entries(rest).map(([name, value]) => {
    const known = name === "leader" && typeof value === "string" ? Number.parseInt(value, 16) : value;
    return name === "reason" ? String(known) : `${name} ${known === null ? "unknown" : String(known)}`;
  });
  return parts.length === 0 ? type : `${type}: ${parts.join(", ")}`;
}

/** `simple v4 r3`, `joint v4 r3`, `joint manual v4 r3`, `leave-joint`. */
function changeOf(words: readonly string[]): MembershipChange {
  const steps: MembershipStep[] = [];
  for (const word of words.slice(1)) {
    const type = ({ v: "add-voter", l: "add-learner", r: "remove" } as const)[word[0] ?? ""];
    if (type !== undefined) steps.push({ type, node: nodeOf(Number(word.slice(1))) });
  }
  if (words[0] === "simple") return { type: "simple", steps };
  if (words[0] === "leave-joint") return { type: "leave-joint" };
  return { type: "joint", autoLeave: !words.includes("manual"), steps };
}

function optionsOf(words: readonly string[]): Record<string, number | boolean> {
  return Object.fromEntries(
    words.map((word) => {
      const [name = "", value = ""] = word.split("=");
      return [name, value === "true" ? true : Number(value)];
    }),
  );
}

function drawEntries(entries: readonly Entry[]): string {
  return entries
    .map((entry) => {
      const at = `${entry.term}/${entry.index}`;
      if (entry.kind === "data") return `${at}:${textOf(entry.data)}`;
      return entry.kind === "noop" ? `${at}:noop` : `${at}:${drawConfiguration(entry.configuration)}`;
    })
    .join(" ");
}

function drawConfiguration(configuration: Configuration): string {
  const list = (nodes: readonly NodeId[]) => `(${nodes.map(numberOf).join(" ")})`;
  let text = list(configuration.voters);
  if (configuration.votersOutgoing.length > 0) text += `&&${list(configuration.votersOutgoing)}`;
  if (configuration.learners.length > 0) text += ` learners${list(configuration.learners)}`;
  if (configuration.learnersNext.length > 0) text += ` next${list(configuration.learnersNext)}`;
  return text;
}

export function describe(message: RaftMessage): string {
  const head = `${numberOf(message.from)}>${numberOf(message.to)} ${message.type} term=${message.term}`;
  switch (message.type) {
    case "pre-vote-request":
      return `${head} last=${message.lastTerm}/${message.lastIndex}`;
    case "vote-request":
      return `${head} last=${message.lastTerm}/${message.lastIndex}${message.transfer ? " transfer" : ""}`;
    case "pre-vote-response":
    case "vote-response":
      return `${head} ${message.granted ? "granted" : "refused"}`;
    case "append-request": {
      const entries = message.entries.length === 0 ? "nothing" : drawEntries(message.entries);
      return `${head} after ${message.previousTerm}/${message.previousIndex} ${entries} commit=${message.commit}`;
    }
    case "append-response":
      return message.rejected
        ? `${head} rejected ${message.index} hint=${message.hintTerm}/${message.hintIndex}`
        : `${head} holds ${message.index}`;
    case "heartbeat":
      return `${head} commit=${message.commit}${message.readRound === 0 ? "" : ` round=${message.readRound}`}${message.quiesce ? " quiesce" : ""}`;
    case "heartbeat-response":
      return `${head}${message.readRound === 0 ? "" : ` round=${message.readRound}`}`;
    case "install-snapshot":
      return `${head} at ${message.snapshot.term}/${message.snapshot.index}`;
    case "timeout-now":
      return head;
  }
}
