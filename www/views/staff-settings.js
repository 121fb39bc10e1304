// The settings of a browser of staff: what one was given, what this browser notifies of, and giving the access back. All else is
// the account's own business. Does not know what a setting does.

import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { accountName, longDate } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { LIST } from "../route.js";
import { notifyChoice } from "./notify-choice.js";
import { dialog } from "./popup.js";

export function staffSettingsView(app) {
  const { client } = app;
  const error = inlineError();
  const shown = notifyChoice((notifications) => client.setSettings({ notifications }).catch(failed).then(refresh));
  const heading = el("h2.page-title", { tabIndex: -1 }, "Settings");
  const node = el("section.page.pane", { testid: "staff-settings" },
    el("header.chat-head", {},
      el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
      el("div.grow", {}, heading),
      el("a.icon-button.only-wide", { href: LIST, "aria-label": "Close settings", title: "Close (Esc)" }, icon("close"))),
    el("div.page-scroll", {}, el("div.page-body.stack.settings", {},
      el("p.muted", {}, "What you set here holds in this browser."), error.node, accessPart(app.account), shown.node,
      el("div.row", {}, el("button.button.danger-text", { type: "button", testid: "staff-leave", onclick: () => askLeave(app) }, "Give the access back…")))));

  function failed(cause) {
    error.show(sentence(cause), cause?.code);
  }

  const refresh = coalesce(() => client.settings().then(({ notifications }) => shown.set(notifications), failed));
  const off = client.on("settings", refresh);
  refresh();

  function close() {
    refresh.stop();
    off();
  }
  return { node, close, onShown: () => heading.focus() };
}

function accessPart(account) {
  const whose = accountName(account);
  const { label, answers, expires } = account.staff ?? {};
  const fact = (name, text) => text && el("div", {}, el("dt", {}, name), el("dd", {}, text));
  return el("fieldset.setting-group", { testid: "staff-access" }, el("legend", {}, "Your access"),
    el("div.stack.setting-body", {}, el("dl.facts-list", {},
      fact("Messages of", whose),
      fact("Known as", label),
      fact("You may", answers ? "read and answer" : "read"),
      fact("Until", expires && longDate(expires))),
    el("p.hint", {}, `It is renewed by itself for as long as ${whose} wants. People, devices and what the account has set are for ${whose} to decide.`)));
}

function askLeave({ client, account }) {
  const error = inlineError();
  const whose = accountName(account);
  const action = el("button.button.danger", { type: "button", testid: "staff-leave-confirm", onclick: leave }, "Give it back");
  const opened = dialog({ title: "Give the access back?", testid: "staff-leave-dialog", action },
    el("p.muted", {}, `Nothing new of ${whose} then comes to this browser. What is here stays, and ${whose} can let you again.`), error.node);

  async function leave() {
    action.disabled = true;
    try {
      await client.unlink(account.deviceId);
      opened.close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      action.disabled = false;
    }
  }
}
