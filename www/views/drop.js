// Files dropped anywhere on a screen.
// Does not know what becomes of them.

import { el } from "../dom.js";

/** `take(files)` gets what is dropped on `node`, which says so while something is held over it. */
export function droppable(node, take) {
  const sign = el("div.drop-here", { hidden: true, "aria-hidden": "true", testid: "drop-here" }, "Drop files to attach them");
  node.append(sign);
  const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
  node.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    sign.hidden = false;
  });
  node.addEventListener("dragleave", (event) => {
    if (!node.contains(event.relatedTarget)) sign.hidden = true;
  });
  node.addEventListener("drop", (event) => {
    sign.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

/** Where nothing takes a file that is dropped, the browser would leave the page to show it. */
export function stayOnDrop() {
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      if (event.defaultPrevented || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}
