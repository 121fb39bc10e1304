// How this person's devices behave, and how they call themself. What is changed here holds on all their devices at once,
// and what is changed there is shown here. Does not know what a setting does.

import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { LIST } from "../route.js";
import { archivePart } from "./archive.js";
import { field } from "./field.js";
import { fingerprintPart } from "./fingerprint.js";
import { helpPart } from "./help-somebody.js";
import { notifyChoice } from "./notify-choice.js";
import { recoveryPart } from "./recovery-code.js";

const SWITCHES = [
  ["readReceipts", "Say what I have read", "People you write with see two filled ticks once you have read their message."],
  ["deliveryReceipts", "Say what has arrived", "They see two ticks once their message is on one of your devices."],
  ["typing", "Say when I am writing", "They see it while you write."],
];

export function settingsView(app) {
  const { client } = app;
  const error = inlineError();
  const name = field("Your name", { testid: "profile-name", maxlength: 120, autocomplete: "name" }, "The people you write to see it from your next message on.");
  const switches = new Map(SWITCHES.map(([key, text, help]) => [key, toggle(key, text, help, (on) => change({ [key]: on }))]));
  const shown = notifyChoice((notifications) => change({ notifications }));
  const recovery = recoveryPart(app);
  const heading = el("h2.page-title", { tabIndex: -1 }, "Settings");
  const node = el("section.page.pane", { testid: "settings" },
    el("header.chat-head", {},
      el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
      el("div.grow", {}, heading),
      el("a.icon-button.only-wide", { href: LIST, "aria-label": "Close settings", title: "Close (Esc)" }, icon("close"))),
    el("div.page-scroll", {}, el("div.page-body.stack.settings", {},
      el("p.muted", {}, "What you set here holds on all your devices."),
      error.node,
      el("form.setting-group.name-form", { onsubmit: rename }, name.node, el("button.button", { type: "submit", testid: "profile-save" }, "Save")),
      el("fieldset.setting-group", {}, el("legend", {}, "What others are told"), [...switches.values()].map((part) => part.node)),
      shown.node,
      recovery.node,
      fingerprintPart(client),
      archivePart(client),
      app.account.handle && helpPart())));

  const refresh = coalesce(async () => {
    try {
      const [settings, profile] = await Promise.all([client.settings(), client.profile()]);
      if (document.activeElement !== name.input) name.input.value = profile.name ?? "";
      for (const [key, part] of switches) part.input.checked = settings[key];
      shown.set(settings.notifications);
    } catch (cause) {
      failed(cause);
    }
  });

  const failed = (cause) => error.show(sentence(cause), cause?.code);

  async function change(settings) {
    error.clear();
    await client.setSettings(settings).catch(failed);
    refresh(); // a refusal shows what holds
  }

  async function rename(event) {
    event.preventDefault();
    error.clear();
    try {
      await client.setProfile({ name: name.input.value.trim() });
      name.input.blur();
      refresh();
    } catch (cause) {
      failed(cause);
    }
  }

  const off = client.on("settings", refresh);
  refresh();

  function close() {
    refresh.stop();
    recovery.close();
    off();
  }
  return { node, close, onShown: () => heading.focus() };
}

function toggle(key, text, help, change) {
  const id = `setting-${key}`;
  const input = el("input.switch", { id, type: "checkbox", role: "switch", testid: id, "aria-describedby": `${id}-help`, onchange: () => change(input.checked) });
  const node = el("div.setting", {}, el("div.grow", {}, el("label", { for: id }, text), el("p.hint", { id: `${id}-help` }, help)), input);
  return { node, input };
}
