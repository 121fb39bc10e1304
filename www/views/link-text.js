// Reads the link text of another device: from the camera where there is one, or pasted into a field.
// Does not know what happens with the text; it says what was wrong with it.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { inlineError } from "../notify.js";
import { hasCamera } from "../scan.js";
import { Camera } from "./camera.js";
import { field } from "./field.js";

const LINK_TEXT = /^(lockstep|sgnl):/i;

export class LinkText {
  /** `next(uri)` rejects with what is wrong; when it resolves, this step is over. */
  constructor({ next, cancel }) {
    this.next = next;
    this.error = inlineError();
    this.text = field("Paste the text it shows", { testid: "link-device-uri", rows: 3, autocomplete: "off", spellcheck: "false",
      autocapitalize: "none", placeholder: "lockstep://…", maxlength: 2048 });
    this.go = el("button.button.primary", { type: "submit", testid: "link-device-next" }, "Next");
    this.camera = new Camera({ label: "Scan with the camera", testid: "link-device-scan", error: this.error, found: (text) => this.#found(text) });
    this.scanning = el("div.stack", { hidden: true }, this.camera.video, this.camera.scan);
    this.text.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return; // a link text has one line
      event.preventDefault();
      this.#submit();
    });
    this.node = el("div.stack", {},
      el("h3", {}, "Or use its code"),
      this.scanning,
      el("form.stack", { onsubmit: (event) => this.#submit(event) }, this.text.node, this.error.node,
        el("div.row", {}, this.go, el("button.button.plain", { type: "button", onclick: cancel }, "Cancel"))));
    this.#offerCamera();
  }

  async #offerCamera() {
    if (!(await hasCamera())) return;
    this.scanning.hidden = false;
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
    this.camera.off();
    this.text.input.value = text;
    this.#submit();
  }

  close() {
    this.camera.close();
  }
}
