// The whole page when the client cannot be opened or cannot go on: what happened and what one can do.
// Does not know how the client works; never deletes anything.

import { el } from "../dom.js";
import { faultPage, sentence } from "../errors.js";

export function faultView(error, freshAddress) {
  const page = faultPage(error);
  const again = el("button.button.primary", { type: "button", onclick: () => location.reload() }, page.action);
  const node = el("main.fault", { testid: "error", "data-code": error?.code ?? "unexpected", role: "alert" },
    el("img", { src: "/logo.svg", alt: "", width: 56, height: 56 }),
    el("h1", {}, page.title),
    el("p", {}, page.help),
    el("div.row.center", {}, again, page.afresh && el("a.button", { href: freshAddress }, "Set up this browser afresh")),
    el("details.quiet", {}, el("summary", {}, "What Lockstep says"), el("p.small-text", {}, `${sentence(error)} (${error?.code ?? "no code"})`)));
  queueMicrotask(() => again.focus());
  return node;
}
