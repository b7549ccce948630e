/** What a node prints once it has collected its garbage. @see collect-on-signal.ts */
export const COLLECTED_LINE = "all garbage is collected";
