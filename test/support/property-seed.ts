/**
 * Property tests draw the same cases in every run, so that a red suite means a changed program. `FC_SEED=random` draws
 * new ones; a failure prints the seed that repeats it with `FC_SEED=<seed>`.
 */
import fc from "fast-check";

const wish = process.env.FC_SEED ?? "20261121";
if (wish !== "random") fc.configureGlobal({ seed: Number(wish) });
