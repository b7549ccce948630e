/**
 * The alerts for Prometheus: every number they look at is one that a node tells, and every one of them is explained.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { CremaNode } from "../../src/index.ts";
import { readSource } from "../architecture/imports.ts";
import { readYaml } from "./plain-yaml.ts";

const [rules] = readYaml(readSource("examples/prometheus/alerts.yaml")) as unknown as readonly {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}[];
const alerts = rules?.groups.flatMap((group) => group.rules) ?? [];

it("every alert looks at numbers that a node tells", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crema-alerts-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const node = await CremaNode.open({ port: 0, httpPort: 0, respPort: 0, dataDir: folder });
  onTestFinished(() => node.close());
  const { host, port } = node.httpAddress ?? { host: "", port: 0 };
  const page = await (await fetch(`http://${host}:${port}/metrics`)).text();
  const told = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]));
  for (const { alert, expr } of alerts) {
    const named = [...expr.matchAll(/\b(crema_\w+|up)\{job="crema"\}/g)].map((match) => match[1]);
    expect(named.length, alert).toBeGreaterThan(0);
    expect(
      named.filter((name) => name !== "up" && !told.has(name)),
      alert,
    ).toEqual([]);
  }
});

it("every alert says how bad it is, in words that name the node where it concerns one", () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { expr, labels, annotations } of alerts) {
    expect(["warning", "critical"]).toContain(labels.severity);
    const concernsAll = expr.startsWith("max(") && !expr.includes("group_right");
    expect(annotations.summary.includes("{{ $labels.instance }}")).toBe(!concernsAll);
  }
});

it("every alert is explained in docs/operations.md, and no other", () => {
  const explained = [...readSource("docs/operations.md").matchAll(/^\| `(Crema\w+)` \|/gm)];
  expect(explained.map((match) => match[1])).toEqual(alerts.map(({ alert }) => alert));
});
