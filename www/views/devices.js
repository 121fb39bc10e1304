// The devices of this account: removing one, and the only way to the screens that link another one or delete the account.
// Does not know how linking works.

import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { iso, lastActive, longDate } from "../format.js";
import { icon } from "../icons.js";
import { inlineError, toast, withdraw } from "../notify.js";
import { LIST } from "../route.js";
import { deleteAccountView } from "./delete-account.js";
import { linkDeviceView } from "./link-device.js";
import { staffPart } from "./staff-part.js";

const HANDHELD = /android|phone|ipad|tablet/i; // only chooses a picture

export function devicesView(app) {
  const list = el("ul.devices", { role: "list", "aria-label": "Your devices" }, el("li.muted", {}, "Loading…"));
  const error = inlineError();
  const open = el("button.button.primary", { type: "button", testid: "link-device-open", onclick: openLinking }, icon("plus"), "Link a device");
  const remove = el("button.button.plain.danger-text", { type: "button", testid: "delete-account-open", onclick: openDeleting }, "Delete account…");
  const removing = el("div.row.apart", {}, remove);
  const elsewhere = el("p.muted", { hidden: true, testid: "not-owner" },
    "This browser can't link or remove other devices: it doesn't hold your account's key. Do that on a device that is marked “Account key”.");
  const staff = staffPart(app, () => refresh());
  const home = el("div.stack", {},
    el("p.muted", {}, "Each of these reads and writes your messages. If you do not recognise one, remove it, and tell whoever runs your service."),
    error.node, list, elsewhere, el("div.row", {}, open), staff.node, removing);
  const heading = el("h2.page-title", { tabIndex: -1 }, "Devices");
  const body = el("div.page-body", {}, home);
  const node = el("section.page.pane", {},
    el("header.chat-head", {},
      el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
      el("div.grow", {}, heading),
      el("a.icon-button.only-wide", { href: LIST, "aria-label": "Close devices", title: "Close (Esc)" }, icon("close"))),
    el("div.page-scroll", {}, body));
  let step; // the screen in the place of the list: linking a device, deleting the account

  const refresh = coalesce(async () => {
    try {
      const all = await app.client.devices();
      const granted = await app.client.staff();
      const devices = all.filter(({ role }) => role !== "delegate");
      error.clear();
      const isOwner = devices.some(({ current, role }) => current && role === "owner");
      elsewhere.hidden = isOwner;
      open.hidden = removing.hidden = !isOwner;
      const owners = devices.filter(({ role }) => role === "owner").length;
      const removable = (device) => (isOwner || device.current) && (device.role !== "owner" || owners > 1);
      list.replaceChildren(...devices.map((device) => row(app, device, removable(device), refresh)));
      staff.show(granted, isOwner);
    } catch (cause) {
      list.replaceChildren();
      error.show(sentence(cause), cause?.code);
    }
  });

  function openLinking() {
    enter("Link a device", linkDeviceView(app, () => leave(open)));
  }

  function openDeleting() {
    enter("Delete account", deleteAccountView(app, () => leave(remove)));
  }

  function enter(title, view) {
    step = { ...view, back: title === "Link a device" ? open : remove };
    body.replaceChildren(view.node);
    heading.textContent = title;
  }

  function leave(to) {
    step?.close?.();
    step = undefined;
    heading.textContent = "Devices";
    body.replaceChildren(home);
    refresh();
    to.focus();
  }

  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !step || event.defaultPrevented) return;
    event.preventDefault();
    leave(step.back);
  });
  const offs = [app.client.on("device", refresh), app.client.on("settings", refresh)];
  withdraw("devices"); // the notice that sends one here
  refresh();

  function close() {
    step?.close?.();
    refresh.stop();
    for (const off of offs) off();
  }
  return { node, close, onShown: () => heading.focus() };
}

function row(app, device, removable, refresh) {
  const name = device.name || `Device ${device.id}`;
  const place = el("div.device-more");
  const remove = el("button.button.small", { type: "button", testid: "device-remove", onclick: ask,
    "aria-label": device.current ? "Remove this browser" : `Remove ${name}` }, "Remove");

  function ask() {
    remove.hidden = true;
    place.replaceChildren(confirmation(app, device, name, close, refresh));
    place.querySelector("button").focus();
  }

  function close() {
    place.replaceChildren();
    remove.hidden = false;
    remove.focus();
  }

  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  return el("li.device", { testid: "device", "data-id": device.id, "data-current": String(device.current) },
    el("span.device-mark", {}, icon(HANDHELD.test(device.name) ? "phone" : "device")),
    el("div.grow", {},
      el("p.device-name", {}, name, device.current && el("span.tag", {}, "This device"),
        device.role === "owner" && el("span.tag", { title: "Links and removes devices", testid: "device-owner" }, "Account key")),
      el("p.muted.small-text", {}, device.current ? "Active now" : lastActive(device.lastSeen, Date.now()), " · linked ",
        el("time", { datetime: iso(device.createdAt) }, longDate(device.createdAt)))),
    removable && remove, place);
}

/** What removing means, and the two ways out. */
function confirmation(app, device, name, close, refresh) {
  const error = inlineError();
  const yes = el("button.button.small.danger", { type: "button", testid: "device-remove-confirm", onclick: go }, "Remove");
  const no = el("button.button.small", { type: "button", onclick: close }, "Cancel");
  const lost = el("input", { type: "checkbox", testid: "device-lost" });
  const isOwner = device.role === "owner";

  async function go() {
    error.clear();
    yes.disabled = true;
    yes.textContent = "Removing…";
    try {
      await app.client.unlink(device.id, { lost: lost.checked });
      if (device.current) return; // the client has another state now, and the page another screen
      toast(`“${name}” is removed.`);
      refresh();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      yes.disabled = false;
      yes.textContent = "Remove";
    }
  }

  return el("div.stack.confirm", { role: "group", "aria-label": `Remove ${name}?`, testid: "device-remove-ask" },
    el("p", {}, device.current
      ? "This browser then receives and sends nothing more. What is stored here stays, and you can link it again from another device."
      : `“${name}” then receives and sends nothing more. What is stored on it stays there.`),
    !device.current && isOwner && el("p", {}, "It holds your account's key, and removing it doesn't take that back. If it was stolen, tell the people you write to."),
    !device.current && !isOwner && el("label.check", {}, lost, "It was lost or stolen: believe nothing more that comes from it"),
    error.node, el("div.row", {}, yes, no));
}
