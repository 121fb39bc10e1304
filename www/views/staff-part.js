// On the devices page: whom this account lets read, with what they may do, changing that and ending it, and who had access before.
// Nothing is shown where there was never any staff. Does not know how access is given (see `link-claim`).

import { el, reconcile } from "../dom.js";
import { sentence } from "../errors.js";
import { iso, longDate, sameDay } from "../format.js";
import { icon } from "../icons.js";
import { inlineError, toast } from "../notify.js";
import { gone, here, labelOf, sinceWords, untilWords, whatMay } from "../staff.js";
import { dialog } from "./popup.js";
import { chosenPart, untilPart } from "./staff-form.js";

/** `changed()` is called when something is different now. Returns { node, show(staff, isOwner) }. */
export function staffPart(app, changed) {
  const list = el("ul.devices", { role: "list", "aria-label": "Staff" });
  const past = el("ul.staff-past", { role: "list" });
  const audit = el("details.quiet", { testid: "staff-audit" }, el("summary", { testid: "staff-audit-open" }, "Who had access"), past);
  const head = el("div.stack.staff-head", {}, el("h3", {}, "Staff"),
    el("p.muted", {}, "Other people who read what is written to you, in browsers of theirs. The people you write with see it."), list);
  const node = el("section.stack.staff-part", { testid: "staff-part", "aria-label": "Staff", hidden: true }, head, audit);
  let shown;

  function show(staff, isOwner) {
    const key = JSON.stringify([staff, isOwner, staff.map((one) => conversationWords(app.directory, one))]);
    if (key === shown) return; // what is being decided about one of them stays open
    shown = key;
    node.hidden = staff.length === 0;
    const [now, before] = [here(staff), gone(staff)];
    head.hidden = now.length === 0;
    audit.hidden = before.length === 0;
    list.replaceChildren(...now.map((one) => row(app, one, isOwner, changed)));
    reconcile(past, before.map((one) => el("li", { testid: "staff-past" }, el("strong", {}, labelOf(one)),
      el("span.muted.small-text", {}, `${whatMay(one)}, `, el("time", { datetime: iso(one.since) }, longDate(one.since)),
        sameDay(one.since, one.endedAt) ? "" : [" to ", el("time", { datetime: iso(one.endedAt) }, longDate(one.endedAt))]))));
  }

  return { node, show };
}

function conversationWords(directory, { conversations }) {
  if (!conversations) return "all conversations";
  const names = conversations.map((id) => directory.name(id));
  if (names.length === 0) return "no conversation";
  return `only ${names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ")}`;
}

function row(app, one, isOwner, changed) {
  const now = Date.now();
  const name = labelOf(one);
  const place = el("div.device-more");
  const end = el("button.button.small.danger-text", { type: "button", testid: "staff-end", "aria-label": `End access of ${name}`, onclick: ask }, "End access");
  const change = el("button.button.small", { type: "button", testid: "staff-change", "aria-label": `Change access of ${name}`, onclick: () => changeAccess(app, one, changed) }, "Change");

  function ask() {
    end.hidden = change.hidden = true;
    place.replaceChildren(confirmation(app, one, close, changed));
    place.querySelector("button").focus();
  }

  function close() {
    place.replaceChildren();
    end.hidden = change.hidden = false;
    end.focus();
  }

  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  const over = one.expires <= now;
  return el("li.device", { testid: "staff", "data-id": one.deviceId, "data-answers": String(one.answers) },
    el("span.device-mark", {}, icon("staff")),
    el("div.grow", {},
      el("p.device-name", {}, name, el("span.tag", {}, whatMay(one))),
      el("p.muted.small-text", {}, `${conversationWords(app.directory, one)}${one.readsSent ? ", also what you write" : ""}`),
      el("p.muted.small-text", {}, over ? el("span.danger-ink", {}, `Ended on ${longDate(one.expires)}: it was not renewed in time. `) : "",
        el("time", { datetime: iso(one.since) }, sinceWords(one.since, now)), `, ${untilWords(one.until)}`)),
    isOwner && el("div.row", {}, change, end), place);
}

/** What ending means, and the two ways out. */
function confirmation(app, one, close, changed) {
  const error = inlineError();
  const name = labelOf(one);
  const yes = el("button.button.small.danger", { type: "button", testid: "staff-end-confirm", onclick: go }, "End access");
  const no = el("button.button.small", { type: "button", onclick: close }, "Cancel");
  const lost = el("input", { type: "checkbox", testid: "staff-lost" });

  async function go() {
    error.clear();
    yes.disabled = true;
    yes.textContent = "Ending…";
    try {
      await app.client.unlink(one.deviceId, { lost: lost.checked });
      toast(`“${name}” has no access any more.`);
      changed();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      yes.disabled = false;
      yes.textContent = "End access";
    }
  }

  return el("div.stack.confirm", { role: "group", "aria-label": `End access of ${name}?`, testid: "staff-end-ask" },
    el("p", {}, `“${name}” then gets nothing more and can answer nothing more. What they have read stays read. The people you write with see that it has ended.`),
    el("label.check", {}, lost, "Their browser was lost or stolen: believe nothing more that comes from it"),
    error.node, el("div.row", {}, yes, no));
}

/** Other conversations for whom some were chosen, another end. All else is given anew: by ending it, and linking. */
function changeAccess(app, one, changed) {
  const error = inlineError();
  const conversations = one.conversations && chosenPart(app.directory, one.conversations);
  const until = untilPart(one.until);
  const action = el("button.button.primary", { type: "submit", form: "staff-change-form", testid: "staff-change-save" }, "Save");

  async function save(event) {
    event.preventDefault();
    const part = [conversations, until].find((each) => each?.problem());
    if (part) {
      error.show(part.problem(), "staff_form");
      return part.focus();
    }
    action.disabled = true;
    try {
      await app.client.changeStaff(one.deviceId, { ...(conversations && { conversations: conversations.value() }), until: until.value() });
      opened.close();
      changed();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
    action.disabled = false;
    return undefined;
  }

  const opened = dialog({ title: `Access of “${labelOf(one)}”`, testid: "staff-change-dialog", action },
    el("form.stack", { id: "staff-change-form", onsubmit: save },
      el("p.muted", {}, "It holds for what is written from now on."), conversations?.node, until.node, error.node));
}
