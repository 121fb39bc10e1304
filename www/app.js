// Starts the page: opens the client, then shows the one screen that fits its state and the address bar.
// Also decides what happens to events that concern the whole page. Does not know what is inside any screen.

import { DeviceAlarm } from "./alarm.js";
import { forWhom, freshAddress, openClient } from "./client.js";
import { Directory } from "./directory.js";
import { el } from "./dom.js";
import { endsTheSession, sentence } from "./errors.js";
import { Notifications } from "./notifications.js";
import { announce, toast, withdraw } from "./notify.js";
import { Review } from "./review.js";
import { DEVICES, LINK_HERE, LIST, chatHash, parse } from "./route.js";
import { isStaff } from "./staff.js";
import { connectionView } from "./views/connection.js";
import { stayOnDrop } from "./views/drop.js";
import { faultView } from "./views/fault.js";
import { helpHereView } from "./views/help-here.js";
import { historyProgress } from "./views/history-progress.js";
import { linkAgainView } from "./views/link-again.js";
import { linkHereView } from "./views/link-here.js";
import { shellView } from "./views/shell.js";
import { welcomeView } from "./views/welcome.js";
import { inOneLine } from "./words.js";

/** What every view may use. `linking` is set while this browser asks to be linked. */
const app = {
  client: undefined,
  account: undefined,
  directory: undefined,
  drafts: new Map(), // unsent text to handles that are no conversation yet, in memory only
  identityChanged: new Set(), // accounts whose key changed while this page is open
  linking: undefined,
  alarm: undefined,
  review: undefined,
  justLinked: false, // in this page: the list of devices it gets first is no news
  go: (hash) => {
    location.hash = hash;
  },
  readonly: () => app.client.state() === "unlinked",
  report,
};

const root = document.getElementById("app");
let outlet;
let screen = { name: "", close() {} };
let stopped = false;

/** An error with nothing better to stand beside: a notice, or the whole page when the client cannot go on. */
function report(error) {
  console.warn("lockstep:", error?.code ?? error);
  if (endsTheSession(error?.code)) showFault(error);
  else toast(sentence(error), { kind: "error", code: error?.code });
}

function showFault(error) {
  if (stopped) return;
  stopped = true;
  document.querySelector("dialog[open]")?.close();
  screen.close?.();
  app.directory?.close();
  document.title = "Lockstep";
  root.replaceChildren(faultView(error, freshAddress()));
}

function show(name, make) {
  if (screen.name === name) return screen.onRoute?.(parse(location.hash));
  screen.close?.();
  screen = { ...make(), name };
  outlet.replaceChildren(screen.node);
  screen.onShown?.();
  return undefined;
}

/** Which screen fits now. Safe to call at any time, any number of times. */
async function settle() {
  if (stopped) return;
  if (app.client.state() === "new") {
    document.title = "Lockstep";
    if (parse(location.hash).view === "link" && app.linking) show("link-here", () => linkHereView(app));
    else if (forWhom()) show("help", () => helpHereView(forWhom(), beginLinking));
    else show("welcome", () => welcomeView(app, beginLinking));
    return;
  }
  app.account = await app.client.account();
  if (app.readonly() && parse(location.hash).view === "link") {
    if (app.linking) show("link-here", () => linkHereView(app));
    else show("link-again", () => linkAgainView(app, beginLinking));
    return;
  }
  app.justLinked ||= Boolean(app.linking);
  app.linking = undefined;
  app.alarm.check();
  app.review.check();
  app.directory ??= new Directory(app.client, () => app.account?.id, report);
  if (screen.name !== app.client.state()) {
    app.directory.refresh();
    app.directory.readDevices();
  }
  const { view } = parse(location.hash);
  const closed = { devices: app.readonly() || isStaff(app.account), settings: app.readonly(), link: true };
  if (closed[view]) history.replaceState(null, "", LIST);
  show(app.client.state(), () => shellView(app));
}

function beginLinking(options) {
  app.linking = options;
  if (location.hash === LINK_HERE) settle().catch(report);
  else app.go(LINK_HERE);
}

// The server contradicts itself about somebody's devices. Nothing goes to what is in doubt; the person should know all the same.
const ALARMS = {
  forked: (name) => `The server shows different people different devices of ${name}. Nothing is sent to those in doubt. Tell whoever runs your service.`,
  rolledBack: (name) => `The server shows an old list of the devices of ${name}. It is not relied on.`,
  ghost: (name) => `The server claims a device of ${name} that nobody has vouched for. Nothing is sent to it.`,
};

function listen(client) {
  client.on("state", () => settle().catch(report));
  client.on("error", (error) => error.code !== "rolled_back" && report(error)); // the page then says it for as long as it holds
  client.on("connection", ({ state }) => state === "online" && withdraw("relay_protocol", "offline"));
  client.on("identity", ({ account }) => {
    app.identityChanged.add(account);
    app.directory?.refresh(); // an open chat with this person says it itself
    if (parse(location.hash).id === account) return;
    const name = app.directory?.name(account) ?? "a contact";
    toast(`The security key of ${name} has changed. Check with them before you send anything private.`, { kind: "error", code: "identity_changed" });
  });
  client.on("alarm", ({ account, kind }) => {
    const name = app.directory?.name(account) ?? "you";
    toast(ALARMS[kind](name), { kind: "error", code: `alarm_${kind}`, link: { href: DEVICES, text: "Your devices" } });
  });
  let lastDevices;
  let most = 0; // of a new device the alarm tells
  client.on("device", ({ devices }) => {
    const key = devices.join();
    const news = key !== lastDevices && !(app.justLinked && lastDevices === undefined);
    lastDevices = key;
    const looking = parse(location.hash).view === "devices";
    const added = devices.length > most && most > 0;
    most = devices.length;
    if (news && !added && client.state() === "ready" && !looking && !isStaff(app.account)) {
      toast("The list of your devices has changed.", { code: "devices", link: { href: DEVICES, text: "Review" } });
    }
  });
  client.on("recovered", ({ deviceId, name }) => {
    if (deviceId === app.account?.deviceId || isStaff(app.account)) return;
    toast(`Your account was brought back on “${name}” with your recovery code. If that was not you, remove that device now.`,
      { kind: "error", code: "recovered", link: { href: DEVICES, text: "Review" } });
  });
  client.on("message", ({ message }) => {
    if (message.outgoing || app.directory?.isQuiet(message.conversation)) return;
    const name = app.directory?.name(message.conversation) ?? "someone";
    announce(message.kind === "text" ? `${name}: ${inOneLine(message, 200)}` : `A message from ${name} could not be decrypted.`);
  });
}

async function start() {
  try {
    app.client = await openClient();
  } catch (error) {
    console.warn("lockstep:", error);
    showFault(error);
    return;
  }
  window.lockstep = { client: app.client };
  outlet = el("div.outlet");
  const isOwn = () => Boolean(app.account) && !isStaff(app.account);
  app.alarm = new DeviceAlarm(app.client, isOwn);
  app.review = new Review(app.client, isOwn);
  root.replaceChildren(connectionView(app.client), app.alarm.node, app.review.node, historyProgress(app.client, (device) => app.directory?.deviceName(device)), outlet);
  listen(app.client);
  stayOnDrop();
  new Notifications(app.client, (conversation) => app.go(chatHash(conversation)));
  window.addEventListener("hashchange", () => settle().catch(report));
  window.addEventListener("unhandledrejection", (event) => report(event.reason));
  await settle().catch(report);
}

start();
