/**
 * A bare node as a program: `bare-main SELF CLIENT_PORT LOG|- LINK_PORT...`, a link port for each node, its own among them. It says so when it is ready, and ends
 * with its parent.
 */
import { connect, createServer, type Socket } from "node:net";
import { BareDisk } from "./bare-disk.ts";
import { BareNode } from "./bare-node.ts";
import { BARE_READY_LINE } from "./bare-ready-line.ts";

const HOST = "127.0.0.1";
const REDIAL_MS = 20;

const [self = Number.NaN, clientPort] = process.argv.slice(2, 4).map(Number);
const log = process.argv[4];
const linkPorts = process.argv.slice(5).map(Number);
const node = new BareNode(
  self,
  linkPorts.length,
  log === "-" || log === undefined ? null : new BareDisk(log),
);

process.on("disconnect", () => process.exit());
createServer({ noDelay: true }, (socket) => {
  endQuietly(socket);
  node.client(socket);
}).listen(clientPort, HOST);
// Who dials says who it is, in one byte.
createServer({ noDelay: true }, (socket) => {
  socket.once("readable", () => {
    const hello: Buffer | null = socket.read(1);
    if (hello !== null) node.link(hello[0] as number, socket);
    sayWhenReady();
  });
}).listen(linkPorts[self], HOST, () => {
  linkPorts.slice(0, self).forEach((port, other) => void dial(other, port));
  sayWhenReady();
});

function dial(other: number, port: number): void {
  const socket = connect({ host: HOST, port, noDelay: true });
  socket.once("connect", () => {
    socket.removeAllListeners("error");
    socket.write(Uint8Array.of(self));
    node.link(other, socket);
    sayWhenReady();
  });
  socket.once("error", () => setTimeout(() => dial(other, port), REDIAL_MS));
}

function sayWhenReady(): void {
  if (node.isComplete) console.log(BARE_READY_LINE);
}

/** A load that is over cuts its connections. */
function endQuietly(socket: Socket): void {
  socket.on("error", () => socket.destroy());
}
