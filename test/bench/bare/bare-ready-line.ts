/** What a bare node prints once it is connected with all others. */
export const BARE_READY_LINE = "bare node ready";
