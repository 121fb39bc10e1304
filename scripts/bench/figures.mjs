// Numbers as people read them: medians, spreads, tables. Knows nothing of what was measured.

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Three digits that mean something. */
export function short(value) {
  if (!Number.isFinite(value)) return "-";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString("en-GB", { maximumFractionDigits: Math.min(digits, 2) });
}

/** The median, with the least and the greatest of all rounds. */
export const spread = (values, unit) => `${short(median(values))} ${unit} (${short(Math.min(...values))} to ${short(Math.max(...values))})`;

export const ratio = (value, to) => `${(median(value) / median(to)).toFixed(2)}x`;

/** Columns as wide as their widest cell; the first is text, the rest is numbers. */
export function table(title, head, rows) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at].length)));
  const line = (row) => row.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join("  ").trimEnd();
  console.log([`\n${title}`, line(all[0]), widths.map((width) => "-".repeat(width)).join("  "), ...all.slice(1).map(line)].join("\n"));
}
