/**
 * Short names for nodes: the shortest beginning of the id that is unique among all ids in sight, as git does it.
 */

const LABEL_CHARACTERS_MIN = 4;

export class NodeLabels {
  readonly #characters: number;

  constructor(nodeIds: Iterable<string>) {
    const ids = [...new Set(nodeIds)];
    let characters = LABEL_CHARACTERS_MIN;
    while (characters < 16 && new Set(ids.map((id) => id.slice(0, characters))).size < ids.length)
      characters++;
    this.#characters = characters;
  }

  of(nodeId: string): string {
    return nodeId.slice(0, this.#characters);
  }

  all(nodeIds: readonly string[]): string {
    return nodeIds.length === 0 ? "-" : nodeIds.map((id) => this.of(id)).join(" ");
  }
}
