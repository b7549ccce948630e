/**
 * Where checkers keep their notes: one per replica (a group within a life) or one per group (of a cluster, over all
 * lives). Two clusters number their groups alike, so a group is told apart by the cluster id of the node that holds it.
 * Must stay cheap: notes are looked up for every entry that is applied.
 */
import type { GroupId } from "../../base/ids.ts";
import type { Life } from "../life.ts";

/** One note per replica. A life's notes are dropped together when it ends. */
export class PerReplica<Note> {
  readonly #lives = new Map<Life, (Note | undefined)[]>();
  /** Looked up last: the calls of one event mostly concern one life. */
  #recentLife: Life | null = null;
  #recentNotes: (Note | undefined)[] = [];

  get(life: Life, group: GroupId): Note | undefined {
    return this.ofLife(life)[group];
  }

  set(life: Life, group: GroupId, note: Note): void {
    let notes = this.#lives.get(life);
    if (notes === undefined) {
      notes = [];
      this.#lives.set(life, notes);
      if (this.#recentLife === life) this.#recentLife = null;
    }
    while (notes.length <= group) notes.push(undefined);
    notes[group] = note;
  }

  delete(life: Life, group: GroupId): void {
    const notes = this.#lives.get(life);
    if (notes !== undefined && group < notes.length) notes[group] = undefined;
  }

  /** By group id, with holes. */
  ofLife(life: Life): readonly (Note | undefined)[] {
    if (life !== this.#recentLife) {
      this.#recentLife = life;
      this.#recentNotes = this.#lives.get(life) ?? [];
    }
    return this.#recentNotes;
  }

  dropLife(life: Life): void {
    this.#lives.delete(life);
    if (this.#recentLife === life) this.#recentLife = null;
  }
}

/** One note per group, made when it is first asked for and kept for ever. */
export class PerGroup<Note> {
  readonly #make: (group: GroupId) => Note;
  readonly #clusters = new Map<string, Map<GroupId, Note>>();

  constructor(make: (group: GroupId) => Note) {
    this.#make = make;
  }

  /** The note on `group` of the cluster that `life` belongs to. */
  of(life: Life, group: GroupId): Note {
    const cluster = life.node.clusterId ?? "";
    let notes = this.#clusters.get(cluster);
    if (notes === undefined) {
      notes = new Map();
      this.#clusters.set(cluster, notes);
    }
    let note = notes.get(group);
    if (note === undefined) {
      note = this.#make(group);
      notes.set(group, note);
    }
    return note;
  }
}
