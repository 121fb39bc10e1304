// The line above everything in a browser of staff: for whom one reads, as whom, and until when. It also says when that is over.
// Does not know what one may do elsewhere on the page.

import { ownAddress } from "../client.js";
import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { accountName, nearDate } from "../format.js";
import { icon } from "../icons.js";

const HOUR_MS = 3_600_000;

export function staffLine(app) {
  const { client } = app;
  const text = el("p.grow");
  const node = el("div.banner.ask.staff-line", { role: "status", testid: "staff-line" }, icon("staff"), text,
    el("a.button.small", { href: ownAddress(), testid: "own-open", "aria-label": "Your own messages" }, el("span", {}, "Your own", el("span.only-wide", {}, " messages"))));

  function show() {
    const whose = accountName(app.account);
    const { label, answers, expires } = app.account.staff ?? {};
    if (!label) return text.replaceChildren(`You read for ${whose}, as staff.`);
    const over = expires <= Date.now();
    node.dataset.over = String(over);
    node.classList.toggle("warn", over);
    node.classList.toggle("ask", !over);
    return text.replaceChildren(...(over
      ? [el("strong", {}, `Your access ended on ${nearDate(expires, Date.now())}. `), `Nothing new comes. Ask ${whose} to let you again.`]
      : [el("strong", {}, `You ${answers ? "read and answer" : "read"} for ${whose} `), `as “${label}”, until ${nearDate(expires, Date.now())}.`]));
  }

  const refresh = coalesce(async () => {
    try {
      app.account = await client.account();
      show();
    } catch {
      // The connection says more, and this is asked again with the next one.
    }
  });
  const off = client.on("connection", refresh); // access is renewed silently
  const timer = setInterval(refresh, HOUR_MS);
  show();

  function close() {
    refresh.stop();
    clearInterval(timer);
    off();
  }
  return { node, close };
}
