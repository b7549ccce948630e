/**
 * The image and the fleet of three, as far as they can be tried without an engine: the Dockerfile is carried out, step by step, in
 * folders of this machine, with the node modules that are here in place of `npm ci`.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseDurationMs } from "../../cli/duration.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { ROOT, readSource } from "../architecture/imports.ts";
import { heapBytesOf, readEnvironmentFile, settingsOf } from "./example-settings.ts";
import { readYaml } from "./plain-yaml.ts";

/** One instruction, its continued lines joined. */
interface Instruction {
  readonly word: string;
  readonly rest: string;
}

const instructions: readonly Instruction[] = readSource("examples/container/Dockerfile")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n/g, " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => {
    const [, word = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { word, rest: rest.replace(/\s+/g, " ") };
  });
const stages = instructions.reduce<Instruction[][]>((all, instruction) => {
  if (instruction.word === "FROM") all.push([]);
  all.at(-1)?.push(instruction);
  return all;
}, []);
const [build = [], image = []] = stages;

/** Sources and target of every COPY of `stage`; `from` is null for what comes from the repository. */
function copies(stage: readonly Instruction[]) {
  return stage
    .filter(({ word }) => word === "COPY")
    .map(({ rest }) => {
      const words = rest.split(" ");
      const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : undefined;
      return { from: from ?? null, sources: words.slice(0, -1), target: words.at(-1) ?? "" };
    });
}

const jsonOf = (word: string): readonly string[] => {
  const { rest } = image.findLast((each) => each.word === word) ?? { rest: "" };
  return JSON.parse(rest.slice(rest.indexOf("[")));
};

describe("the Dockerfile", () => {
  it("copies from the repository only what is there and not ignored", () => {
    const ignored = readSource("examples/container/Dockerfile.dockerignore").split("\n");
    const sources = copies(build).flatMap(({ sources }) =>
      sources.map((source) => source.replace(/^\.\//, "")),
    );
    expect(sources).toContain("src");
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(sources.filter((source) => ignored.includes(source.split("/")[0] ?? ""))).toEqual([]);
  });

  it("makes an image whose commands run, from nothing but what it copies", async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "crema-image-")));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const built = join(root, "build");
    for (const { sources, target } of copies(build)) {
      for (const source of sources) {
        const into = target.endsWith("/") ? join(target, source) : target;
        mkdirSync(dirname(join(built, into)), { recursive: true });
        cpSync(join(ROOT, source), join(built, into), { recursive: true });
      }
    }
    symlinkSync(realpathSync(`${ROOT}node_modules`), join(built, "node_modules"));
    const runs = build.filter(({ word }) => word === "RUN").map(({ rest }) => rest);
    expect(runs).toEqual([
      "npm ci --ignore-scripts",
      "npm run build && npm prune --omit=dev --ignore-scripts",
    ]);
    await promisify(execFile)("npm", ["run", "--silent", "build"], { cwd: built });

    const home = image.find(({ word }) => word === "WORKDIR")?.rest ?? "";
    const installed = join(root, home);
    for (const { from, sources, target } of copies(image)) {
      expect(from).toBe("build");
      const [source = ""] = sources;
      mkdirSync(dirname(join(installed, target)), { recursive: true });
      // Node modules stay what they are, a link.
      cpSync(join(root, source), join(installed, target), { recursive: true, verbatimSymlinks: true });
    }
    const links = [...(image.find(({ word }) => word === "RUN")?.rest ?? "").matchAll(/ln -s (\S+) (\S+)/g)];
    expect(links).toHaveLength(2);
    for (const [, target = "", name = ""] of links) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      symlinkSync(join(root, target), join(root, name));
    }
    for (const command of [jsonOf("ENTRYPOINT")[0], jsonOf("HEALTHCHECK")[0]]) {
      const path = join(root, "usr/local/bin", command ?? "");
      const { stdout } = await promisify(execFile)(process.execPath, [path, "--version"]);
      expect(stdout.trim()).toBe(JSON.parse(readSource("package.json")).version);
    }
  }, 60_000);

  it("checks its health by a command of crema, in less time than the engine allows it", async () => {
    const [program, ...argv] = jsonOf("HEALTHCHECK");
    expect(program).toBe("crema");
    const { command, given } = await readCommandLine(argv);
    expect(command.name).toBe("health");
    const [, allowed = ""] =
      /--timeout=(\S+)/.exec(image.find(({ word }) => word === "HEALTHCHECK")?.rest ?? "") ?? [];
    expect(parseDurationMs(given.flags.timeout ?? "")).toBeLessThan(parseDurationMs(allowed) ?? 0);
  });

  it("runs as nobody special, on the Node.js that the package asks for, and opens the ports of crema-node", () => {
    const engine = JSON.parse(readSource("package.json")).engines.node;
    for (const [from] of stages) expect(from?.rest).toMatch(new RegExp(`^node:${/\d+/.exec(engine)?.[0]}-`));
    expect(image.find(({ word }) => word === "USER")?.rest).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const { node } = settingsOf({});
    expect(image.find(({ word }) => word === "EXPOSE")?.rest).toBe(
      `${node.port}/tcp ${node.port}/udp ${node.respPort}/tcp ${node.httpPort}/tcp`,
    );
  });
});

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly env_file: string;
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly ports: readonly string[];
  readonly stop_grace_period: string;
  readonly mem_limit: string;
}

describe("compose.yaml", () => {
  const [compose] = readYaml(readSource("examples/container/compose.yaml")) as unknown as readonly {
    readonly services: Readonly<Record<string, Service>>;
  }[];
  const services = Object.entries(compose?.services ?? {});

  it.each(services)(
    "gives %s settings that crema-node takes, its own name, and time to drain",
    (name, service) => {
      const common = readEnvironmentFile(readSource(`examples/container/${service.env_file}`));
      const environment = { ...common, ...service.environment };
      const { node } = settingsOf(environment);
      expect(node.seeds).toEqual(services.map(([other]) => `${other}:7946`));
      expect(node).toMatchObject({ advertise: name, name, host: "0.0.0.0" });
      expect(parseDurationMs(service.stop_grace_period)).toBeGreaterThan((node.drainTimeoutMs ?? 0) + 5_000);
      expect(service.ports.map((port) => Number(port.split(":").at(-1)))).toEqual([
        node.respPort,
        node.httpPort,
      ]);
      expect(heapBytesOf(environment)).toBeGreaterThanOrEqual(2 * (node.maxMemoryBytes ?? 0));
      expect(Number.parseInt(service.mem_limit, 10) * 2 ** 20).toBeGreaterThan(heapBytesOf(environment));
      const context = join("examples/container", service.build.context);
      expect(existsSync(join(ROOT, context, service.build.dockerfile))).toBe(true);
    },
  );

  it("opens each port of this machine once, and to this machine only", () => {
    const ports = services.flatMap(([, service]) => service.ports);
    expect(services).toHaveLength(3);
    expect(new Set(ports.map((port) => port.split(":")[1])).size).toBe(6);
    expect(ports.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
  });
});
