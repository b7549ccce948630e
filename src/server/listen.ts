/**
 * Binding a listener, with an error that tells the operator what to do.
 */
import type { Server } from "node:net";
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";

/** Makes `server` listen; answers the address bound, with the real port. `flag` is the option that names the port. */
export function listen(server: Server, wanted: Address, flag: string): Promise<Address> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(error, wanted, flag));
    server.once("error", onError);
    server.listen({ host: wanted.host, port: wanted.port }, () => {
      server.off("error", onError);
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : wanted.port;
      resolve({ host: wanted.host, port });
    });
  });
}

/** `error` of a listener in words; other failures than a taken port keep theirs as the cause. */
export function listenError(error: Error, wanted: Address, flag: string): CremaError {
  const place = formatAddress(wanted);
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new CremaError(
      "CREMA_ADDRESS_IN_USE",
      `port ${wanted.port} of ${wanted.host} is in use: choose another with ${flag}, or 0 for any free port`,
      { cause: error },
    );
  }
  return new CremaError("CREMA_INTERNAL", `cannot listen on ${place} (${flag}): ${error.message}`, {
    cause: error,
  });
}
