/**
 * Who listens to a node's events. A listener that throws is taken off and reported; the others still hear everything.
 */
import type { NodeEvent } from "./door.ts";

export class NodeEvents {
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #onListenerFailure: (error: unknown) => void;
  emitted = 0;

  constructor(onListenerFailure: (error: unknown) => void) {
    this.#onListenerFailure = onListenerFailure;
  }

  add(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: NodeEvent): void {
    this.emitted++;
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#listeners.delete(listener);
        this.#onListenerFailure(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
