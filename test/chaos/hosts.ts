/**
 * Machines with addresses of their own, on this one: a network namespace each, joined by a bridge that this process is on, too.
 * The way from one to another can be cut, in one direction or both, silently, as a broken cable or a firewall does it.
 *
 * Only interfaces and namespaces made here are ever touched. They go when the test ends; what a run left behind that was killed,
 * the next one removes.
 */
import { execFileSync } from "node:child_process";
import { it, onTestFinished } from "vitest";

/** `cxr<process id>n<serial>` is the bridge, `...h<host>` a host and its link. Interface names have at most 15 characters. */
const PREFIX = "cxr";
const NAME = /\b(cxr(\d+)n\d)(?:h\d+)?\b/g;
/** RFC 2544: for tests of networks, so that no real one is hidden. Cut into blocks of 32 addresses. */
const BLOCKS = 4_096;
const HOSTS_MAX = 29;
/** No interface has it: frames to it arrive nowhere, and nobody is told. */
const NOWHERE = "02:00:5e:00:53:ff";

let serial = 0;

export class Hosts {
  readonly count: number;
  readonly #bridge = `${PREFIX}${process.pid}n${serial++}`;
  readonly #block: number;
  readonly #hardware: string[] = [];
  readonly #cuts = new Set<string>();

  /** Call inside a test: the machines are gone with it. */
  constructor(count: number) {
    if (count > HOSTS_MAX) throw new RangeError(`at most ${HOSTS_MAX} hosts, got ${count}`);
    this.count = count;
    this.#block = freeBlock();
    onTestFinished(() => removeAll([this.#bridge]));
    ip(
      `link add ${this.#bridge} type bridge`,
      `addr add ${addressIn(this.#block, 1)}/27 dev ${this.#bridge}`,
      `link set ${this.#bridge} up`,
    );
    for (let host = 0; host < count; host++) this.#addHost(host);
  }

  /** host addresses count from 0. */
  address(host: number): string {
    return addressIn(this.#block, host + 2);
  }

  /** Runs the rest of its arguments on `host`. */
  via(host: number): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(host)];
  }

  /** What `from` sends does not reach `to` any more; connections stay open and hear nothing. */
  cutOneWay(from: number, to: number): void {
    this.#pointNeighbour(from, to, NOWHERE);
    this.#cuts.add(`${from} ${to}`);
  }

  /** Nothing passes between `left` and `right`, whichever way. */
  cut(left: number, right: number): void {
    this.cutOneWay(left, right);
    this.cutOneWay(right, left);
  }

  /** Nothing passes between any of `left` and any of `right`. */
  split(left: readonly number[], right: readonly number[]): void {
    for (const one of left) for (const other of right) this.cut(one, other);
  }

  /** Everything passes again. */
  heal(): void {
    for (const cut of this.#cuts) {
      const [from = 0, to = 0] = cut.split(" ").map(Number);
      this.#pointNeighbour(from, to, this.#hardware[to] ?? "");
    }
    this.#cuts.clear();
  }

  #addHost(host: number): void {
    const outside = this.#namespace(host);
    ip(
      `netns add ${outside}`,
      `link add ${outside} type veth peer name eth0 netns ${outside}`,
      `link set ${outside} master ${this.#bridge}`,
      `link set ${outside} up`,
    );
    ipIn(outside, "link set lo up", `addr add ${this.address(host)}/27 dev eth0`, "link set eth0 up");
    const [link] = JSON.parse(ipOutput("-n", outside, "-j", "link", "show", "eth0"));
    this.#hardware.push(link.address);
  }

  #pointNeighbour(from: number, to: number, hardware: string): void {
    ipIn(
      this.#namespace(from),
      `neigh replace ${this.address(to)} lladdr ${hardware} dev eth0 nud permanent`,
    );
  }

  #namespace(host: number): string {
    return `${this.#bridge}h${host}`;
  }
}

/** A test that needs hosts: skipped, with the reason printed, where this machine has none to give. */
export function itOnHosts(claim: string, run: () => Promise<void>, limitMs: number): void {
  const reason = impossibleReason();
  if (reason !== null) process.stdout.write(`skipped, ${reason}: ${claim}\n`);
  it.skipIf(reason !== null)(claim, run, limitMs);
}

/** For people; null when there can be hosts. Tried once. */
function impossibleReason(): string | null {
  impossible ??= probe();
  return impossible.reason;
}

let impossible: { readonly reason: string | null } | null = null;

function probe(): { readonly reason: string | null } {
  const name = `${PREFIX}${process.pid}n${serial++}`;
  try {
    removeLeftOvers();
    ip(`netns add ${name}`, `link add ${name} type bridge`);
    removeAll([name]);
    return { reason: null };
  } catch (error) {
    const text = error instanceof Error ? error.message.trim().split("\n").join(" ") : String(error);
    return { reason: `network namespaces cannot be made here: ${text}` };
  }
}

/** Of processes of this kind that are no more. */
function removeLeftOvers(): void {
  const names = `${ipOutput("netns", "list")}\n${ipOutput("-br", "link")}`;
  const dead = [...names.matchAll(NAME)].filter(([, , owner]) => !lives(Number(owner)));
  removeAll([...new Set(dead.map(([, bridge = ""]) => bridge))]);
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * The bridges and whatever hangs on them; what is gone already is no error, for a half-made fleet goes as well. Links are removed
 * by name, and first: a namespace keeps its link for minutes after its end, until its last connections are forgotten.
 */
function removeAll(bridges: readonly string[]): void {
  removeListed(bridges, ["-br", "link"], "link");
  removeListed(bridges, ["netns", "list"], "netns");
}

/** Another process may be at the same left-overs: only what stays is a failure. */
function removeListed(bridges: readonly string[], list: readonly string[], kind: "link" | "netns"): void {
  const listed = () =>
    [...new Set(ipOutput(...list).match(NAME))].filter((name) =>
      bridges.some((bridge) => name === bridge || name.startsWith(`${bridge}h`)),
    );
  for (const name of listed()) {
    try {
      ip(`${kind} del ${name}`);
    } catch (error) {
      if (listed().includes(name)) throw error;
    }
  }
}

/** A block of addresses that no interface of this machine has. */
function freeBlock(): number {
  const taken = ipOutput("-4", "-br", "addr");
  for (;;) {
    const block = Math.floor(Math.random() * BLOCKS);
    if (!taken.includes(`${addressIn(block, 1)}/`)) return block;
  }
}

function addressIn(block: number, offset: number): string {
  const low = block * 32 + offset;
  return `198.${18 + (low >> 16)}.${(low >> 8) & 0xff}.${low & 0xff}`;
}

/** Runs `commands` in this process's own network. Throws with the words of `ip`. */
function ip(...commands: readonly string[]): void {
  execFileSync("ip", ["-batch", "-"], { input: commands.join("\n"), stdio: ["pipe", "pipe", "pipe"] });
}

function ipIn(namespace: string, ...commands: readonly string[]): void {
  execFileSync("ip", ["-n", namespace, "-batch", "-"], {
    input: commands.join("\n"),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function ipOutput(...argv: readonly string[]): string {
  return execFileSync("ip", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
