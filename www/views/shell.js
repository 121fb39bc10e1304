// The frame of an account in use: conversations on the left, what is open on the right; on a phone one at a time.
// Shows the history read-only when this browser is no longer linked. Does not know what the panes hold.

import { freshAddress, ownAddress } from "../client.js";
import { el } from "../dom.js";
import { accountName } from "../format.js";
import { icon } from "../icons.js";
import { DEVICES, LINK_HERE, LIST, SETTINGS, parse, routeKey } from "../route.js";
import { isStaff } from "../staff.js";
import { whyUnlinked } from "../unlinked.js";
import { avatar } from "./avatar.js";
import { chatView } from "./chat.js";
import { devicesView } from "./devices.js";
import { listView } from "./list.js";
import { recoveryReminder } from "./recovery-code.js";
import { settingsView } from "./settings.js";
import { staffLine } from "./staff-line.js";
import { staffSettingsView } from "./staff-settings.js";

export function shellView(app) {
  const list = listView(app);
  const main = el("main.main");
  const panes = el("div.panes", {}, el("div.side", {}, sideHead(app), list.node), main);
  const reminder = recoveryReminder(app);
  const staff = isStaff(app.account) && !app.readonly() ? staffLine(app) : undefined;
  const node = el("div.shell", { onkeydown: escape }, app.readonly() && unlinkedBanner(app), staff?.node, reminder.node, panes);
  let pane = { key: undefined };

  function onRoute(route) {
    const key = routeKey(route);
    list.select(route.id);
    if (key === pane.key) {
      if (route.message) pane.goTo?.(route.message);
      return;
    }
    const left = pane;
    left.close?.();
    panes.dataset.view = route.view;
    pane = { ...makePane(route), key };
    main.replaceChildren(pane.node);
    if (left.key !== undefined || route.view !== "list") focus(route, left);
    title();
  }

  function makePane(route) {
    if (route.view === "chat" || route.view === "compose") return chatView(app, route, onKnown);
    if (route.view === "devices") return devicesView(app);
    if (route.view === "settings") return isStaff(app.account) ? staffSettingsView(app) : settingsView(app);
    return { node: nothingOpen(app) };
  }

  /** The first message to a handle has an account now: same screen, lasting address. */
  function onKnown(id, hash) {
    history.replaceState(null, "", hash);
    pane.key = routeKey({ view: "chat", id });
    panes.dataset.view = "chat";
    list.select(id);
    title();
  }

  function focus(route, left) {
    if (route.view === "list") list.focus(left.id?.());
    else pane.onShown?.();
  }

  function escape(event) {
    if (event.key !== "Escape" || event.defaultPrevented || parse(location.hash).view === "list") return;
    event.preventDefault();
    app.go(LIST);
  }

  function title() {
    const unread = app.directory.unread();
    const route = parse(location.hash);
    const names = { chat: () => app.directory.name(route.id), compose: () => `@${route.handle}`, devices: () => "Devices", settings: () => "Settings" };
    const name = names[route.view]?.();
    const whose = isStaff(app.account) ? `Messages of ${accountName(app.account)}` : "Lockstep"; // both may be open side by side
    document.title = `${unread ? `(${unread}) ` : ""}${name ? `${name} · ` : ""}${whose}`;
  }

  const off = app.directory.watch(title);
  function close() {
    off();
    staff?.close();
    reminder.close();
    list.close();
    pane.close?.();
  }

  onRoute(parse(location.hash));
  return { node, close, onRoute };
}

function sideHead(app) {
  const staff = isStaff(app.account);
  const who = staff ? `Staff${app.account.staff ? `: ${app.account.staff.label}` : ""}` : accountName(app.account);
  return el("header.side-head", {},
    avatar(app.account.id, accountName(app.account)),
    el("div.grow", {},
      el("h1.side-title", {}, staff ? `Messages of ${accountName(app.account)}` : "Lockstep"),
      el("p.side-sub", { testid: "account" }, `${who} · ${app.account.deviceName || `device ${app.account.deviceId}`}`)),
    !app.readonly() && !staff && el("a.icon-button", { href: DEVICES, testid: "devices-open", "aria-label": "Devices", title: "Devices" }, icon("devices")),
    !app.readonly() && el("a.icon-button", { href: SETTINGS, testid: "settings-open", "aria-label": "Settings", title: "Settings" }, icon("settings")));
}

function unlinkedBanner(app) {
  const { title, help, again } = whyUnlinked(app.account);
  return el("div.banner.warn", { role: "status", testid: "unlinked", "data-why": app.account.unlinked },
    icon("warning"),
    el("p.grow", {}, el("strong", {}, `${title} `), help),
    again
      ? el("a.button.small", { href: LINK_HERE, testid: "unlinked-link-again" }, isStaff(app.account) ? "Ask again" : "Link again")
      : el("a.button.small", { href: freshAddress() }, "Set up anew"),
    isStaff(app.account) && el("a.button.small", { href: ownAddress(), testid: "own-open" }, "Your own messages"));
}

function nothingOpen(app) {
  return el("div.empty", {},
    el("img.empty-mark", { src: "/logo.svg", alt: "", width: 64, height: 64 }),
    el("h2", {}, "No conversation open"),
    el("p", {}, app.readonly() || isStaff(app.account) ? "Choose one on the left to read it." : "Choose one on the left, or type someone’s handle to start a new one."),
    el("p.with-icon.muted", {}, icon("lock"), isStaff(app.account) ? "End-to-end encrypted" : "End-to-end encrypted on all your devices"));
}
