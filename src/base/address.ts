/**
 * Network addresses as values: parsing, printing, comparing. Resolving a name is an adapter's work.
 */

/** Where a node listens: one number for UDP gossip and TCP links. */
export interface Address {
  /** An IP address or a DNS name, without brackets. */
  readonly host: string;
  /** 1 .. 65535 (0 only in a request to bind any free port). */
  readonly port: number;
}

/** `host:port`, with brackets around an IPv6 host. */
export function formatAddress(address: Address): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

export function sameAddress(left: Address, right: Address): boolean {
  return left.port === right.port && left.host === right.host;
}

/**
 * Reads `host:port`, `[ipv6]:port`, or a bare host when `defaultPort` is given.
 * Returns null when the text is not an address; the caller words the error.
 */
export function parseAddress(text: string, defaultPort?: number): Address | null {
  const trimmed = text.trim();
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(trimmed);
  if (match === null) return null;
  const host = (match[1] ?? match[2] ?? "").toLowerCase();
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (host === "" || port === undefined || port < 1 || port > 65_535) return null;
  return { host, port };
}

/** Whether `host` means all interfaces: an address to listen on, that nobody can dial. */
export function isWildcardHost(host: string): boolean {
  return host === "0.0.0.0" || (host.includes(":") && /^[0:]+$/.test(host));
}
