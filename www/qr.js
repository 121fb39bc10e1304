// Draws a text, or bytes, as a QR code: one SVG path, dark on white in every colour scheme, with the quiet zone readers need.
// Does not know what it means.

import { svg } from "./dom.js";

const QUIET = 4; // modules of white around the code, as the standard asks

export async function drawQr(content, label) {
  const { default: qrcode } = await import("./vendor/qrcode.js");
  const code = qrcode(0, "M");
  code.addData(typeof content === "string" ? content : String.fromCharCode(...content), "Byte"); // a byte is the character of that number
  code.make();
  const size = code.getModuleCount();
  const side = size + 2 * QUIET;
  return svg("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { width: side, height: side, fill: "#fff" }),
    svg("path", { d: darkRuns(code, size), fill: "#10181a" }));
}

/** Each horizontal run of dark modules as one rectangle. */
function darkRuns(code, size) {
  let d = "";
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (!code.isDark(row, column)) continue;
      const start = column;
      while (column + 1 < size && code.isDark(row, column + 1)) column += 1;
      const width = column - start + 1;
      d += `M${start + QUIET} ${row + QUIET}h${width}v1h-${width}z`;
    }
  }
  return d;
}
