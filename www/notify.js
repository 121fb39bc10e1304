// Short notices at the edge of the screen and words for screen readers.
// Does not know what the notices are about.

import { el } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 7_000;
const MOST = 3;

/** Says `text` to assistive technology without showing it. */
export function announce(text) {
  const line = el("p", {}, text);
  document.getElementById("live").append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

/** kind: "info" or "error". An error stays until it is dismissed; `link` is { href, text }. */
export function toast(text, { kind = "info", code, link } = {}) {
  const stack = document.getElementById("toasts");
  const same = [...stack.children].find((child) => child.firstChild?.textContent === text);
  same?.remove();
  const error = kind === "error";
  const node = el(`div.toast.toast-${kind}`, { role: error ? "alert" : "status", testid: error ? "error" : "notice", "data-code": code },
    el("p", {}, text),
    link && el("a.button.small", { href: link.href, onclick: () => node.remove() }, link.text),
    el("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, icon("close")));
  stack.append(node);
  while (stack.children.length > MOST) stack.firstChild.remove();
  if (!error) setTimeout(() => node.remove(), SHOWN_MS);
  return node;
}

/** Takes back notices that no longer hold. */
export function withdraw(...codes) {
  for (const node of [...document.getElementById("toasts").children]) if (codes.includes(node.dataset.code)) node.remove();
}

/** A sentence beside the thing that failed. Returns { node, show(text, code), clear() }. */
export function inlineError() {
  const node = el("div.inline-error-place");
  return {
    node,
    show(text, code) {
      node.replaceChildren(el("p.inline-error", { role: "alert", testid: "error", "data-code": code }, icon("warning"), text));
    },
    clear: () => node.replaceChildren(),
  };
}
