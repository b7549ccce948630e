/**
 * The one error that means "you asked for something this program does not understand".
 * It ends the process with exit code 2; every other failure ends it with 1.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
