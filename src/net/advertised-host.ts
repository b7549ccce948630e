/**
 * What a node that listens on all interfaces tells the others to dial. `0.0.0.0` is where to listen; whoever dials it
 * meets himself, and a fleet that advertises it elects nobody.
 */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { isWildcardHost } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";

/** The addresses of this machine, by interface. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * null when `host` can be dialled as it is, else the one address of this machine that others can reach: IPv4 if there is one,
 * IPv6 in brackets.
 * Rejects with CREMA_ADDRESS_UNAVAILABLE when there is none, or more than one, for then only a person can tell.
 */
export function hostToAdvertise(host: string, interfaces: Interfaces = networkInterfaces()): string | null {
  if (!isWildcardHost(host)) return null;
  const reachable = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe[89ab])/i.test(address));
  const four = reachable.filter(({ family }) => family === "IPv4");
  const chosen = four.length > 0 || host === "0.0.0.0" ? four : reachable;
  const addresses = [...new Set(chosen.map(({ address }) => address))];
  const [only] = addresses;
  if (only !== undefined && addresses.length === 1) return only.includes(":") ? `[${only}]` : only;
  const found = only === undefined ? "no address that others can reach" : `several: ${addresses.join(", ")}`;
  throw new CremaError(
    "CREMA_ADDRESS_UNAVAILABLE",
    `--host ${host} listens on all addresses of this machine, which has ${found}: say what others shall dial with --advertise`,
  );
}
