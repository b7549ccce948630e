/**
 * A command that was understood and did not work out: nobody answered, the answer was an error, a node did not start.
 * Its message is all a person needs, so it is printed without a stack. The process ends with exit code 1.
 */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}
