// A button that starts and stops the camera, with its picture: for whoever wants a code read.
// Does not know what a code means, nor whether there is a camera.

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { cameraSentence, startScan } from "../scan.js";

export class Camera {
  /** `found(code)` gets each code seen, as text or, with `bytes`, as bytes; `error` is an inline error. */
  constructor({ label, testid, error, found, bytes = false }) {
    Object.assign(this, { label, error, found, bytes });
    this.video = el("video.viewfinder", { playsinline: true, muted: true, hidden: true, "aria-label": "Camera picture" });
    this.scan = el("button.button.wide", { type: "button", testid, onclick: () => this.#toggle() });
    this.off();
  }

  async #toggle() {
    if (this.stop) return this.off();
    this.error.clear();
    this.scan.disabled = true;
    this.video.hidden = false;
    try {
      const stop = await startScan(this.video, (code) => this.found(code), { bytes: this.bytes });
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

  off() {
    this.stop?.();
    this.stop = undefined;
    this.video.hidden = true;
    this.scan.replaceChildren(icon("camera"), this.label);
  }

  /** For good: a camera that is only now starting is stopped, too. */
  close() {
    this.closed = true;
    this.off();
  }
}
