import { it } from "vitest";
import "/tmp/bench-swim.ts";
it("x", () => {});
