// The devices of this account, and the only way to the screen that links another one.
// Does not know how linking works.

import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { iso, lastActive, longDate } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { LIST } from "../route.js";
import { linkDeviceView } from "./link-device.js";

const HANDHELD = /android|phone|ipad|tablet/i; // only chooses a picture

export function devicesView(app) {
  const list = el("ul.devices", { role: "list", "aria-label": "Your devices" }, el("li.muted", {}, "Loading…"));
  const error = inlineError();
  const open = el("button.button.primary", { type: "button", testid: "link-device-open", onclick: openLinking }, icon("plus"), "Link a device");
  const home = el("div.stack", {},
    el("p.muted", {}, "Each of these reads and writes your messages. If you do not recognise one, tell whoever runs your service."),
    error.node, list, !app.readonly() && el("div.row", {}, open));
  const heading = el("h2.page-title", { tabIndex: -1 }, "Devices");
  const body = el("div.page-body", {}, home);
  const node = el("section.page.pane", {},
    el("header.chat-head", {},
      el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
      el("div.grow", {}, heading),
      el("a.icon-button.only-wide", { href: LIST, "aria-label": "Close devices", title: "Close (Esc)" }, icon("close"))),
    el("div.page-scroll", {}, body));
  let linking;

  const refresh = coalesce(async () => {
    try {
      const devices = await app.client.devices();
      error.clear();
      list.replaceChildren(...devices.map(row));
    } catch (cause) {
      list.replaceChildren();
      error.show(sentence(cause), cause?.code);
    }
  });

  function openLinking() {
    linking = linkDeviceView(app, closeLinking);
    body.replaceChildren(linking.node);
    heading.textContent = "Link a device";
  }

  function closeLinking() {
    linking?.close();
    linking = undefined;
    heading.textContent = "Devices";
    body.replaceChildren(home);
    refresh();
    open.focus();
  }

  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !linking) return;
    event.preventDefault();
    closeLinking();
  });
  const off = app.client.on("device", refresh);
  refresh();

  function close() {
    linking?.close();
    refresh.stop();
    off();
  }
  return { node, close, onShown: () => heading.focus() };
}

function row(device) {
  return el("li.device", { testid: "device", "data-id": device.id, "data-current": String(device.current) },
    el("span.device-mark", {}, icon(HANDHELD.test(device.name) ? "phone" : "device")),
    el("div.grow", {},
      el("p.device-name", {}, device.name || `Device ${device.id}`, device.current && el("span.tag", {}, "This device")),
      el("p.muted.small-text", {}, device.current ? "Active now" : lastActive(device.lastSeen, Date.now()), " · linked ",
        el("time", { datetime: iso(device.createdAt) }, longDate(device.createdAt)))));
}
