/**
 * Tables for people: columns as wide as they must be, numbers to the right, nothing drawn that does not inform.
 */

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A cell: its text, and how to paint it once it has been padded. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** The lines of a table, title line first. Two spaces part the columns; the last one is not padded. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paintTitle: (text: string) => string = (text) => text,
): readonly string[] {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => cellText(row[index]).length)),
  );
  const line = (cells: readonly Cell[]) => {
    const last = columns.length - 1;
    return columns
      .map((column, index) => {
        const cell = cells[index] ?? "";
        const padded = pad(cellText(cell), widths[index] ?? 0, column.align === "right", index === last);
        return typeof cell === "string" ? padded : cell.paint(padded);
      })
      .join("  ");
  };
  return [paintTitle(line(columns.map((column) => column.title))), ...rows.map(line)];
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : cell.text;
}

function pad(text: string, width: number, toTheRight: boolean, isLast: boolean): string {
  if (toTheRight) return text.padStart(width);
  return isLast ? text : text.padEnd(width);
}
