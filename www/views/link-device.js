// Linking another device to this account, step by step: read its code, see what asks, decide.
// Opens only from the Devices screen, never from an address (see route.js). Leaving without a decision declines.
// Does not know the linking protocol; it hands the text to the client.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { announce, inlineError, toast } from "../notify.js";
import { cameraSentence, hasCamera, startScan } from "../scan.js";
import { field } from "./field.js";

const LINK_TEXT = /^(lockstep|sgnl):/i;

export function linkDeviceView(app, done) {
  const node = el("div.stack.link-device");
  let stopCamera;
  let request; // what is asking, until it is decided
  let closed = false;

  function show(step, ...children) {
    stopCamera?.();
    stopCamera = undefined;
    node.dataset.step = step;
    node.replaceChildren(...children.filter(Boolean));
    node.querySelector("[data-focus]")?.focus();
  }

  function readStep(problem) {
    const step = readParts(app, { next, cancel: done, scanned: (stop) => (stopCamera = stop), isOpen: () => !closed && node.dataset.step === "read" });
    show("read", ...step.nodes);
    if (problem) step.error.show(sentence(problem), problem.code);
  }

  /** Resolves to an error to show beside the text, or to nothing when the next step is on screen. */
  async function next(uri) {
    try {
      const opened = await app.client.openLink(uri);
      if (closed) return void opened.reject().catch(() => {});
      request = opened;
      claimStep();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  function claimStep() {
    const name = request.deviceName;
    const approve = el("button.button.primary", { type: "button", testid: "link-approve", onclick: () => approveStep(name) }, "Link this device");
    const reject = el("button.button", { type: "button", testid: "link-reject", onclick: decline }, "Decline");
    show("claim",
      el("div.card.stack", { testid: "link-claim" },
        el("h3", { tabIndex: -1, "data-focus": "" }, name ? `“${name}” asks to be linked` : "A device without a name asks to be linked"),
        el("p.muted.small-text", {}, name ? "It chose this name itself; nobody has checked it." : "It gave no name, so be sure which device this is."),
        el("p.banner.warn", {}, icon("warning"), el("span", {}, el("strong", {}, "A linked device can read and send messages as you. "),
          "Go on only if it is yours, is in front of you, and you started this yourself. Nobody who helps you will ever ask you to do this.")),
        el("dl.facts-list", {},
          el("div", {}, el("dt", {}, "It gets"), el("dd", {}, "your contacts, and every message from now on")),
          el("div", {}, el("dt", {}, "It does not get"), el("dd", {}, "messages from before"))),
        el("div.row", {}, approve, reject)));
    announce(name ? `${name} asks to be linked` : "A device asks to be linked");
  }

  async function approveStep(name) {
    const asking = request;
    request = undefined; // decided: leaving now no longer declines
    show("linking", el("div.card.stack.center", { role: "status" }, el("span.spinner.large", { "aria-hidden": "true" }),
      el("h3", { tabIndex: -1, "data-focus": "" }, "Linking…"), el("p.muted", {}, "Sending your keys, encrypted for that device alone. Keep this page open.")));
    try {
      const device = await asking.approve({ role: "owner", history: "none" });
      if (!closed) doneStep(device.name || name);
      else toast(`“${device.name || name}” is linked to your account.`);
    } catch (error) {
      if (closed) app.report(error);
      else readStep(error);
    }
  }

  function doneStep(name) {
    show("done", el("div.card.stack.center", { role: "status", testid: "link-done" }, el("span.done-mark", {}, icon("sent")),
      el("h3", {}, name ? `“${name}” is linked` : "The device is linked"),
      el("p.muted", {}, "From now on it shows the same conversations as this one."),
      el("button.button.primary", { type: "button", "data-focus": "", onclick: done }, "Done")));
  }

  function decline() {
    const asking = request;
    request = undefined;
    asking.reject().catch(app.report);
    toast("Declined. Nothing was shared.");
    done();
  }

  function close() {
    closed = true;
    stopCamera?.();
    request?.reject().catch(() => {});
    request = undefined;
  }

  readStep();
  return { node, close, onShown: () => node.querySelector("textarea")?.focus() };
}

/** The first step: a camera if there is one, a field to paste into, and what went wrong last time. */
function readParts(app, { next, cancel, scanned, isOpen }) {
  const error = inlineError();
  const text = field("Or paste the text it shows", { testid: "link-device-uri", rows: 3, autocomplete: "off", spellcheck: "false", autocapitalize: "none",
    placeholder: "lockstep://linkdevice?…", maxlength: 2048 });
  const go = el("button.button.primary", { type: "submit", testid: "link-device-next" }, "Next");
  const label = text.node.querySelector("label");
  const camera = cameraParts({ found, scanned, isOpen, problem: (words) => error.show(words, "camera") });
  label.textContent = "Paste the text it shows";
  hasCamera().then((there) => {
    camera.node.hidden = !there;
    if (there) label.textContent = "Or paste the text it shows";
  });

  async function submit(event) {
    event?.preventDefault();
    const uri = text.input.value.trim();
    if (go.disabled) return;
    error.clear();
    if (!uri) {
      error.show("Paste the link text from the other device first.", "link_uri_malformed");
      return void text.input.focus();
    }
    go.disabled = true;
    setText(go, "Asking…");
    const problem = await next(uri);
    if (!problem) return;
    go.disabled = false;
    setText(go, "Next");
    error.show(sentence(problem), problem.code);
    text.input.focus();
  }

  function found(code) {
    if (!LINK_TEXT.test(code)) return error.show("That is a QR code, but not one of a device to be linked.", "link_uri_foreign");
    camera.stop();
    text.input.value = code;
    submit();
    return undefined;
  }

  text.input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return; // a link text has one line
    event.preventDefault();
    submit();
  });
  const form = el("form.stack", { onsubmit: submit }, text.node, error.node,
    el("div.row", {}, go, el("button.button.plain", { type: "button", onclick: cancel }, "Cancel")));
  const intro = el("p", {}, "On the device you want to add, open Lockstep and choose ", el("strong", {}, "Link this browser"), ". It then shows a code.");
  return { nodes: [intro, camera.node, form], error };
}

function cameraParts({ found, scanned, isOpen, problem }) {
  const video = el("video.viewfinder", { playsinline: true, muted: true, hidden: true, "aria-label": "Camera picture" });
  const button = el("button.button.wide", { type: "button", testid: "link-device-scan", onclick: toggle }, icon("camera"), "Scan with the camera");
  const node = el("div.stack.camera", { hidden: true }, video, button);
  let stop;

  async function toggle() {
    if (stop) return halt();
    button.disabled = true;
    video.hidden = false;
    try {
      stop = await startScan(video, found);
      if (!isOpen()) return halt();
      scanned(stop);
      button.replaceChildren("Stop the camera");
    } catch (error) {
      video.hidden = true;
      problem(cameraSentence(error));
    }
    button.disabled = false;
    return undefined;
  }

  function halt() {
    stop?.();
    stop = undefined;
    video.hidden = true;
    button.replaceChildren(icon("camera"), "Scan with the camera");
  }

  return { node, stop: halt };
}
