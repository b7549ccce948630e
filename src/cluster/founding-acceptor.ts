/**
 * The memory of one seat in the founding ballot: what it promised, what it accepted, what it knows to be decided.
 * Its answers are only worth something because it never goes back on them: `onPersist` runs before an answer leaves.
 *
 * @see Paxos Made Simple §2.2
 */
import { type AcceptedValue, type Ballot, compareBallots, type FoundingValue } from "./founding-messages.ts";

/** Plain data: survives the acceptor, and the process where `onPersist` keeps it. */
export interface AcceptorState {
  /** Nothing below this ballot is promised or accepted any more. */
  readonly promised: Ballot | null;
  readonly accepted: AcceptedValue | null;
  /** Known to be decided, with this process among its voters. Set once, never changed. */
  readonly decided: FoundingValue | null;
}

export const EMPTY_ACCEPTOR_STATE: AcceptorState = Object.freeze({
  promised: null,
  accepted: null,
  decided: null,
});

export class FoundingAcceptor {
  #state: AcceptorState;
  readonly #onPersist: (state: AcceptorState) => void;

  constructor(
    state: AcceptorState = EMPTY_ACCEPTOR_STATE,
    onPersist: (state: AcceptorState) => void = () => {},
  ) {
    this.#state = state;
    this.#onPersist = onPersist;
  }

  get state(): AcceptorState {
    return this.#state;
  }

  /** True when promised: the caller then answers with `state.accepted`. Asking twice is answered twice. */
  prepare(ballot: Ballot): boolean {
    const { promised } = this.#state;
    if (promised !== null && compareBallots(ballot, promised) < 0) return false;
    if (promised === null || compareBallots(ballot, promised) > 0)
      this.#keep({ ...this.#state, promised: ballot });
    return true;
  }

  /** True when accepted. */
  accept(ballot: Ballot, value: FoundingValue): boolean {
    const { promised } = this.#state;
    if (promised !== null && compareBallots(ballot, promised) < 0) return false;
    this.#keep({ ...this.#state, promised: ballot, accepted: { ballot, value } });
    return true;
  }

  /** `value` was accepted by a majority, and names this process. The first one told stays. */
  decide(value: FoundingValue): void {
    if (this.#state.decided === null) this.#keep({ ...this.#state, decided: value });
  }

  #keep(state: AcceptorState): void {
    this.#onPersist(state);
    this.#state = state;
  }
}
