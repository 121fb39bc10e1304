// Reads the link text of another device: from the camera where there is one, or pasted into a field.
// Does not know what happens with the text; it says what was wrong with it.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { cameraSentence, hasCamera, startScan } from "../scan.js";
import { field } from "./field.js";

const LINK_TEXT = /^(lockstep|sgnl):/i;

export class LinkText {
  /** `next(uri)` rejects with what is wrong; when it resolves, this step is over. */
  constructor({ next, cancel }) {
    this.next = next;
    this.closed = false;
    this.error = inlineError();
    this.text = field("Paste the text it shows", { testid: "link-device-uri", rows: 3, autocomplete: "off", spellcheck: "false",
      autocapitalize: "none", placeholder: "lockstep://…", maxlength: 2048 });
    this.go = el("button.button.primary", { type: "submit", testid: "link-device-next" }, "Next");
    this.video = el("video.viewfinder", { playsinline: true, muted: true, hidden: true, "aria-label": "Camera picture" });
    this.scan = el("button.button.wide", { type: "button", testid: "link-device-scan", onclick: () => this.#toggleCamera() });
    this.camera = el("div.stack", { hidden: true }, this.video, this.scan);
    this.text.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return; // a link text has one line
      event.preventDefault();
      this.#submit();
    });
    this.node = el("div.stack", {},
      el("h3", {}, "Or use its code"),
      this.camera,
      el("form.stack", { onsubmit: (event) => this.#submit(event) }, this.text.node, this.error.node,
        el("div.row", {}, this.go, el("button.button.plain", { type: "button", onclick: cancel }, "Cancel"))));
    this.#cameraOff();
    this.#offerCamera();
  }

  async #offerCamera() {
    if (!(await hasCamera())) return;
    this.camera.hidden = false;
    setText(this.text.node.querySelector("label"), "Or paste the text it shows");
  }

  showError(error) {
    this.error.show(sentence(error), error?.code);
  }

  async #submit(event) {
    event?.preventDefault();
    if (this.go.disabled) return;
    const uri = this.text.input.value.trim();
    this.error.clear();
    if (!uri) {
      this.error.show("Paste the link text from the other device first.", "link_uri_malformed");
      this.text.input.focus();
      return;
    }
    this.#asking(true);
    try {
      await this.next(uri);
    } catch (error) {
      this.#asking(false);
      this.showError(error);
      this.text.input.focus();
    }
  }

  #asking(yes) {
    this.go.disabled = yes;
    setText(this.go, yes ? "Asking…" : "Next");
  }

  #found(text) {
    if (!LINK_TEXT.test(text)) {
      this.error.show("That is a QR code, but not one of a device to be linked.", "link_uri_foreign");
      return;
    }
    this.#cameraOff();
    this.text.input.value = text;
    this.#submit();
  }

  async #toggleCamera() {
    if (this.stop) return this.#cameraOff();
    this.error.clear();
    this.scan.disabled = true;
    this.video.hidden = false;
    try {
      const stop = await startScan(this.video, (text) => this.#found(text));
      if (this.closed) return stop();
      this.stop = stop;
      this.scan.replaceChildren("Stop the camera");
    } catch (error) {
      this.video.hidden = true;
      this.error.show(cameraSentence(error), "camera");
    }
    this.scan.disabled = false;
    return undefined;
  }

  #cameraOff() {
    this.stop?.();
    this.stop = undefined;
    this.video.hidden = true;
    this.scan.replaceChildren(icon("camera"), "Scan with the camera");
  }

  close() {
    this.closed = true;
    this.#cameraOff();
  }
}
