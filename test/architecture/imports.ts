/**
 * Reads which modules a source file imports: static, re-exported, dynamic and type-only ones alike.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** All TypeScript files below `folder` (relative to the root), as paths relative to the root. */
export function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The module specifiers in `source`, in order. What stands in comments does not count. */
export function importedModules(source: string): readonly string[] {
  const code = withoutComments(source);
  const pattern =
    /\b(?:import|export)\s+(?:type\s+)?(?:[\w*{][^"'`;]*?\bfrom\s*)?["']([^"']+)["']|\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "");
}

/** `source` with comments blanked; strings are left as they are. */
export function withoutComments(source: string): string {
  const token = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return source.replace(token, (text) => (text.startsWith("/") ? text.replace(/[^\n]/g, " ") : text));
}

/** `source` with comments and the contents of strings blanked: what is left is code. */
export function codeAlone(source: string): string {
  const token = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  const blank = (text: string) => text.replace(/[^\n]/g, " ");
  // Of a template only what it interpolates is code.
  const template = /`(?:[^`\\]|\\.)*`/g;
  return source
    .replace(token, blank)
    .replace(template, (text) => text.replace(/(?:^`|\})[^`]*?(?:\$\{|`$)/g, blank));
}
