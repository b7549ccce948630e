/**
 * The user data for an autoscaling group: read as cloud-init reads it, its scripts run with stand-ins for what they download.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { readSource } from "../architecture/imports.ts";
import { heapBytesOf, readEnvironmentFile, settingsOf } from "./example-settings.ts";
import { readYaml } from "./plain-yaml.ts";

const text = readSource("examples/cloud-init/user-data.yaml");
const [data] = readYaml(text) as unknown as readonly {
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions: string;
    readonly content: string;
  }[];
  readonly runcmd: readonly (readonly string[])[];
}[];
const files = new Map(data?.write_files.map((file) => [file.path, file]));
const contentOf = (path: string): string => files.get(path)?.content ?? `${path} is not written`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crema-cloud-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

/** Runs a script of the user data, with `tools` in front of what the machine has. */
function run(path: string, tools: Readonly<Record<string, string>>, argv: readonly string[] = []) {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  mkdirSync(join(folder, "usr"));
  for (const [name, script] of Object.entries({ script: contentOf(path), ...tools })) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    PREFIX: join(folder, "usr"),
    FOLDER: folder,
  };
  return spawnSync(join(bin, "script"), argv, { env, encoding: "utf8" });
}

/** Serves a release of Node.js whose npm writes down what it was asked for. The archive's checksum is right or not. */
const curl = (checksum: "right" | "wrong"): string => `#!/bin/sh
set -e
for last; do :; done
while [ "$1" != --output ]; do shift; done
case "$last" in
  https://nodejs.org/dist/latest-v20.x/SHASUMS256.txt)
    mkdir -p "$FOLDER/release/node/bin"
    printf '#!/bin/sh\\necho "$@" > "$FOLDER/npm-was-asked"\\n' > "$FOLDER/release/node/bin/npm"
    chmod 755 "$FOLDER/release/node/bin/npm"
    tar -czf "$FOLDER/node.tar.gz" -C "$FOLDER/release" node
    sum=$(sha256sum < "$FOLDER/node.tar.gz" | cut -d " " -f 1)
    if [ ${checksum} = wrong ]; then sum=$(echo other | sha256sum | cut -d " " -f 1); fi
    for platform in darwin-x64 linux-arm64 linux-x64 linux-x64-musl; do
      echo "$sum  node-v20.19.0-$platform.tar.gz"
      echo "$sum  node-v20.19.0-$platform.tar.xz"
    done > "$2" ;;
  https://nodejs.org/dist/latest-v20.x/node-v20.19.0-linux-x64.tar.gz) cp "$FOLDER/node.tar.gz" "$2" ;;
  *) echo "nothing at $last" >&2; exit 22 ;;
esac
`;
const machine = (name: string): string => `#!/bin/sh\necho ${name}\n`;

describe("the user data", () => {
  it("begins as cloud-init wants it, and runs only what it writes, or systemctl", () => {
    expect(text.split("\n")[0]).toBe("#cloud-config");
    for (const [program = ""] of data?.runcmd ?? []) {
      expect(program === "systemctl" || files.get(program)?.permissions === "0755", program).toBe(true);
    }
    expect(data?.runcmd.at(-1)).toEqual(["systemctl", "enable", "--now", "crema-node.service"]);
  });

  it("writes the very unit of examples/systemd, with more patience than the drain takes", () => {
    expect(contentOf("/etc/systemd/system/crema-node.service")).toBe(
      readSource("examples/systemd/crema-node.service"),
    );
    const dropIn = contentOf("/etc/systemd/system/crema-node.service.d/machine.conf");
    const { node } = settingsOf(readEnvironmentFile(contentOf("/etc/crema/crema-node.env")));
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(dropIn) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThanOrEqual((node.drainTimeoutMs ?? 0) + 10_000);
  });

  it("has settings that crema-node takes, and founds nothing before several machines have met", () => {
    const environment = readEnvironmentFile(contentOf("/etc/crema/crema-node.env"));
    const { node, warnings } = settingsOf(environment);
    expect(warnings).toEqual([]);
    expect(node).toMatchObject({ seeds: ["crema.internal.example:7946"], bootstrapExpect: 3, dataDir: null });
    expect(heapBytesOf(environment)).toBeGreaterThanOrEqual(2 * (node.maxMemoryBytes ?? 0));
  });
});

describe("the script that installs", () => {
  const script = "/usr/local/sbin/install-crema-node";

  it("takes the release for this processor, checks it, and has npm install crema-node beside it", () => {
    const { status, stderr } = run(script, { curl: curl("right"), uname: machine("x86_64") });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(folder, "npm-was-asked"), "utf8").trim()).toBe(
      `install --global --prefix ${join(folder, "usr")} crema-node`,
    );
  });

  it("installs nothing whose checksum is another", () => {
    const { status } = run(script, { curl: curl("wrong"), uname: machine("x86_64") });
    expect(status).not.toBe(0);
    expect(existsSync(join(folder, "usr", "bin"))).toBe(false);
  });

  it("says so when there is no release for this processor, or none can be had", () => {
    const { status, stderr } = run(script, { curl: curl("right"), uname: machine("sparc64") });
    expect(status).toBe(1);
    expect(stderr).toContain("no Node.js for sparc64");
  });
});

describe("the script that describes the machine", () => {
  it.each([
    ["europe-1b", "europe-1b"],
    ["null", ""],
  ])("writes the first address and, of the zone %s, %j", (known, zone) => {
    const path = join(folder, "machine.env");
    const tools = { hostname: machine("10.0.0.7 172.17.0.1"), "cloud-init": machine(known) };
    expect(run("/usr/local/sbin/describe-machine", tools, [path]).status).toBe(0);
    const { node } = settingsOf(readEnvironmentFile(readFileSync(path, "utf8")));
    expect(node).toMatchObject({ advertise: "10.0.0.7", zone });
  });
});
