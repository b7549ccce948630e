import { describe, expect, it } from "vitest";
import { readYaml } from "./plain-yaml.ts";

describe("the reader of plain YAML", () => {
  it("reads what the examples are written in", () => {
    const text = [
      "# a comment",
      "name: crema",
      "empty:",
      "map:",
      "  deep:",
      "    n: 3",
      '    text: "3"',
      "list:",
      "  - name: one",
      "    on: true",
      "  - name: two",
      "    labels:",
      "      app.kubernetes.io/name: x",
      "  # between",
      "  - plain words",
      'flow: [a, "b, c", 7]',
      "script: |",
      "  first",
      "    indented",
      "",
      "  last",
      "",
      "folded: >-",
      "  a",
      "  b",
      "---",
      "same:",
      "- indent",
    ].join("\n");
    expect(readYaml(text)).toEqual([
      {
        name: "crema",
        empty: null,
        map: { deep: { n: 3, text: "3" } },
        list: [
          { name: "one", on: true },
          { name: "two", labels: { "app.kubernetes.io/name": "x" } },
          "plain words",
        ],
        flow: ["a", "b, c", 7],
        script: "first\n  indented\n\nlast\n",
        folded: "a b",
      },
      { same: ["indent"] },
    ]);
  });

  it.each([
    ["a: 1\na: 2", "line 2 names a twice"],
    ["a: &anchor 1", "is not plain"],
    ["a: {b: 1}", "is not plain"],
    ["a: 'quoted'", "is not plain"],
    ["a: b: c", "is not plain"],
    ["a: 1 # why", "is not plain"],
    ["a: [1, 2", "does not end its list"],
    ["a:\n    b: 1\n  c: 2", "line 3"],
    ["a: 1\n- b", "line 2"],
    ["just words", "has no key"],
  ])("refuses %j", (text, message) => {
    expect(() => readYaml(text)).toThrow(message);
  });
});
