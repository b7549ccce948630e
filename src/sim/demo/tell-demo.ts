/**
 * The story of one shard on three machines: it elects a leader, replicates, loses its leader to a cut cable, gets it back,
 * and is judged. Nothing of it is staged: the nodes are those of production, and the story tells what they do.
 */
import { loadKeyHash } from "../../placement/key-hash.ts";
import type { FleetLife } from "../fleet.ts";
import { Clients } from "./clients.ts";
import { DemoFleet, STORY_KEY } from "./demo-fleet.ts";
import { roleChangeText } from "./role-change-text.ts";
import { type NodeFacts, safetyChecks } from "./safety-checks.ts";
import type { SectionTitle, StoryStep } from "./story.ts";

/** Nothing in the story may take longer than this. */
const PATIENCE_MS = 30_000;
/** How long clients of the node that is cut off wait for an answer. */
const CUT_OFF_TIMEOUT_MS = 1_500;

const FIRST_VALUE = "espresso";
const LATER_VALUE = "flat white";
const OTHER_KEY = "tea";
const OTHER_VALUE = "Assam";
/** Written at the node that is cut off. */
const DOUBTFUL_VALUE = "Darjeeling";

/** Something that the story counts on did not happen. */
class StoryBroken extends Error {
  override readonly name = "StoryBroken";
}

/** Equal seeds tell equal stories. Ends in a verdict, whatever happens. */
export async function* tellDemo(seed: bigint): AsyncGenerator<StoryStep> {
  const telling = new Telling(new DemoFleet(seed, await loadKeyHash()));
  try {
    yield* telling.election();
    yield* telling.replication();
    const old = yield* telling.partition();
    yield* telling.heal(old);
    yield* telling.judgement();
  } catch (error) {
    if (!(error instanceof StoryBroken)) throw error;
    yield { type: "check", holds: false, claim: "the story goes on", evidence: error.message };
    yield telling.verdict(false, "Something that must happen did not.");
  }
}

class Telling {
  readonly #demo: DemoFleet;
  readonly #clients: Clients;
  /** What has happened and is not told yet. */
  #happened: StoryStep[] = [];

  constructor(demo: DemoFleet) {
    this.#demo = demo;
    this.#clients = new Clients(
      () => demo.nowMs,
      (step) => this.#happened.push(step),
    );
    demo.witness.onRole = (change) => {
      const text = roleChangeText(change);
      if (text !== null) this.#event(text);
    };
  }

  async *election(): AsyncGenerator<StoryStep> {
    const demo = this.#demo;
    yield section(
      "Election",
      "Three machines start at the same moment, and each is given the addresses of all three. They find each other and " +
        "found one cluster, whose data (one shard) each of them keeps a copy of. One copy has to lead: it alone decides " +
        "the order of writes. A node that hears of no leader for a while asks for votes; two of three make it the " +
        "leader of a new term.",
    );
    demo.start();
    this.#event("m1, m2 and m3 start");
    const founded = (): boolean => demo.states().every(({ replica }) => replica !== null);
    await this.#until(founded, "three machines found a cluster");
    this.#event("the three have found each other and founded one cluster");
    yield* this.#told();
    yield this.#nodes("before: nobody leads");
    await this.#until(() => demo.settled, "a leader is elected");
    yield* this.#told();
    yield this.#nodes("after: one leads, two follow");
  }

  async *replication(): AsyncGenerator<StoryStep> {
    const demo = this.#demo;
    yield section(
      "Replication",
      "A client may ask any node. A write is passed on to the leader, which appends it to its log and sends it to the " +
        "others. Once two of three have it, it is committed: no single machine can take it away any more, and only then " +
        "does the client hear OK.",
    );
    yield this.#nodes("before");
    const leader = this.#leader();
    const [one, other] = this.#followers(leader);
    await this.#settle(this.#clients.write(one, STORY_KEY, FIRST_VALUE));
    // Through the leader too: what it keeps about its own clients is set up before the cable is cut.
    await this.#settle(this.#clients.write(leader, OTHER_KEY, OTHER_VALUE));
    await this.#settle(this.#clients.write(other, "cake", "plum"));
    await this.#settle(this.#clients.read(other, STORY_KEY));
    await this.#until(() => demo.settled, "all nodes have all entries");
    yield* this.#told();
    yield this.#nodes("after: all have the same log and the same value");
  }

  /** Returns the leader that was cut off. */
  async *partition(): AsyncGenerator<StoryStep, FleetLife> {
    const demo = this.#demo;
    const old = this.#leader();
    const [one, other] = this.#followers(old);
    yield section(
      "Partition the leader",
      `The cable of the leader's machine (${old.name}) is cut: nothing gets in or out. It cannot know that, and for a ` +
        "moment it goes on leading. But whatever it decides needs a second node, so it can promise nothing. The two " +
        "others are a majority: they miss its heartbeats, elect one of themselves in a later term and go on.",
    );
    yield this.#nodes("before");
    demo.cutOff(old);
    this.#event(`${old.name} is cut off from the two others, in both directions`);
    const refusals = Promise.all([
      this.#clients.write(old, OTHER_KEY, DOUBTFUL_VALUE, CUT_OFF_TIMEOUT_MS),
      this.#clients.read(old, STORY_KEY, CUT_OFF_TIMEOUT_MS),
    ]);
    this.#event(
      `a client of ${old.name} writes ${OTHER_KEY} = "${DOUBTFUL_VALUE}", another one reads ${STORY_KEY}: both wait`,
    );
    await demo.fleet.clock.runFor(50);
    yield* this.#told();
    yield this.#nodes(
      `a moment later: ${old.name} has an entry more in its log, and nobody to share it with`,
    );
    await this.#until(() => demo.leader !== null && demo.leader !== old, "the majority elects a new leader");
    const via = this.#leader() === one ? other : one;
    await this.#settle(this.#clients.write(via, STORY_KEY, LATER_VALUE));
    await this.#settle(this.#clients.read(via, STORY_KEY));
    await this.#settle(refusals);
    await this.#settle(this.#clients.readLocal(old, STORY_KEY));
    yield* this.#told();
    yield {
      type: "remark",
      text:
        `No answer is better than a wrong one: nothing was promised about the write at ${old.name}, and the ` +
        "linearizable read there was refused. A local read may be stale by contract, and this one is.",
    };
    yield this.#nodes("after: the majority has moved on");
    return old;
  }

  async *heal(old: FleetLife): AsyncGenerator<StoryStep> {
    const demo = this.#demo;
    yield section(
      "Heal",
      `The cable is mended. ${old.name} hears of the later term and follows the new leader, which replaces the entry ` +
        "that was never committed and sends what was missed.",
    );
    yield this.#nodes("before");
    demo.heal();
    this.#event(`${old.name} is connected again`);
    await this.#until(() => demo.settled, "the old leader catches up");
    this.#event(`${old.name} follows ${this.#leader().name} and holds the same log as everybody`);
    await this.#settle(this.#clients.read(old, STORY_KEY));
    const doubtful = await this.#settle(this.#clients.read(old, OTHER_KEY));
    await this.#until(() => demo.settled, "all nodes agree");
    yield* this.#told();
    if (this.#clients.promises.unanswered.has(OTHER_KEY))
      yield { type: "remark", text: doubtfulText(doubtful) };
    yield this.#nodes("after: all are equal again");
  }

  async *judgement(): AsyncGenerator<StoryStep> {
    yield section(
      "Safety checks",
      "The nodes were watched from outside all the time. Now what they did and promised is compared with what is there.",
    );
    const nodes = await this.#facts();
    this.#happened = [];
    const checks = safetyChecks({
      nodes,
      ledTerms: this.#demo.witness.ledTerms,
      promises: this.#clients.promises,
    });
    yield* checks;
    const failed = checks.filter(({ holds }) => !holds).length;
    yield failed === 0
      ? this.verdict(true, `All ${checks.length} checks hold: a leader was lost, and no promise was broken.`)
      : this.verdict(false, `${failed} of ${checks.length} checks do not hold.`);
  }

  verdict(holds: boolean, text: string): StoryStep {
    return { type: "verdict", atMs: this.#demo.nowMs, holds, text };
  }

  async #facts(): Promise<readonly NodeFacts[]> {
    const demo = this.#demo;
    const answers = new Map<FleetLife, Map<string, string | null>>();
    for (const life of demo.lives) {
      const found = new Map<string, string | null>();
      for (const key of this.#clients.promises.acknowledged.keys()) {
        found.set(key, await this.#settle(this.#clients.read(life, key)));
      }
      answers.set(life, found);
    }
    await this.#until(() => demo.settled, "all nodes agree in the end");
    return demo.lives.map((life) => ({
      name: life.name,
      lastIndex: demo.stateOf(life).replica?.lastIndex ?? 0,
      applied: demo.witness.appliedBy(life.name),
      answers: answers.get(life) ?? new Map(),
      digest: demo.digestOf(life),
    }));
  }

  #leader(): FleetLife {
    const { leader } = this.#demo;
    if (leader === null) throw new StoryBroken("nobody leads");
    return leader;
  }

  #followers(leader: FleetLife): readonly [FleetLife, FleetLife] {
    const [one, other] = this.#demo.lives.filter((life) => life !== leader);
    if (one === undefined || other === undefined) throw new StoryBroken("a node is gone");
    return [one, other];
  }

  async #until(condition: () => boolean, expected: string): Promise<void> {
    const held = await this.#demo.fleet.clock.runUntil(condition, PATIENCE_MS);
    if (!held) throw new StoryBroken(`not within ${PATIENCE_MS / 1_000} virtual seconds: ${expected}`);
  }

  async #settle<T>(work: Promise<T>): Promise<T> {
    if (!(await this.#demo.fleet.settle(work, PATIENCE_MS))) throw new StoryBroken("a request never ended");
    return work;
  }

  #event(text: string): void {
    this.#happened.push({ type: "event", atMs: this.#demo.nowMs, text });
  }

  #told(): readonly StoryStep[] {
    const told = this.#happened;
    this.#happened = [];
    return told;
  }

  #nodes(caption: string): StoryStep {
    const demo = this.#demo;
    return { type: "nodes", atMs: demo.nowMs, caption, nodes: demo.states() };
  }
}

function section(title: SectionTitle, text: string): StoryStep {
  return { type: "section", title, text };
}

/** What became of the write that had no answer. */
function doubtfulText(value: string | null): string {
  const fate =
    value === DOUBTFUL_VALUE
      ? "was passed on to the new leader, once the cable carried it"
      : "went with the entry that was replaced";
  return `The write of ${OTHER_KEY} that had no answer ${fate}. Its client was told that either may happen.`;
}
