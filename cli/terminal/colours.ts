/**
 * Colours for terminals, and only for them: a pipe, a file and NO_COLOR get plain text.
 */

/** Wraps text in a colour. The plain set returns the text as it is. */
export interface Colours {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export const PLAIN: Colours = Object.freeze({
  bold: asIs,
  dim: asIs,
  red: asIs,
  green: asIs,
  yellow: asIs,
  cyan: asIs,
});

export const ANSI: Colours = Object.freeze({
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
});

/** @see https://no-color.org */
export function coloursFor(stream: { readonly isTTY?: boolean | undefined }): Colours {
  return stream.isTTY === true && !process.env.NO_COLOR ? ANSI : PLAIN;
}

function asIs(text: string): string {
  return text;
}

function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`;
}
