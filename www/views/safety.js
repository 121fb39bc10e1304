// Comparing the safety number of a conversation: digits and a code to be read by eye or camera, a published fingerprint, and
// what follows from it. What was compared is what gets verified: the digits on the screen go with the decision.
// Does not know how a number is made.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { announce, inlineError } from "../notify.js";
import { drawQr } from "../qr.js";
import { hasCamera } from "../scan.js";
import { Camera } from "./camera.js";
import { field } from "./field.js";
import { dialog } from "./popup.js";

const FOUND = {
  match: (name) => ["good", "It matches", `This is the key of ${name}. Nobody stands between you.`],
  match_known: (name) => ["bad", "The new key is not theirs",
    `What ${name} shows is the key you had before. Somebody may have put another one in between: do not accept it, and tell whoever runs your service.`],
  no_match: (name) => ["bad", "It does not match",
    `This is not the key this browser has for ${name}. Look whether both screens show this conversation. If they do, write nothing private here, and tell whoever runs your service.`],
  somebody_else: (name) => ["odd", "That is somebody else’s", `It belongs to another conversation. Open the one with you on the screen of ${name}.`],
};

/** `decided()` is called when something changed. */
export function openSafety({ app, id, name, decided }) {
  return new Safety({ app, id, name, decided }).opened;
}

class Safety {
  constructor({ app, id, name, decided }) {
    Object.assign(this, { client: app.client, readonly: app.readonly(), id, name, decided });
    this.error = inlineError();
    this.intro = el("p.muted", {});
    this.digits = el("p.safety-digits", { testid: "safety-digits", role: "group", "aria-label": "Safety number" });
    this.picture = el("div.qr.safety-qr");
    this.result = el("div", { role: "status", testid: "safety-result" });
    this.mark = el("button.button.primary", { type: "button", testid: "safety-verify", onclick: () => this.#decide() }, "Mark as verified");
    this.state = el("div");
    this.opened = dialog({ title: "Verify safety number", testid: "safety", action: this.mark, leave: "Close" },
      this.state, this.intro, this.digits, this.error.node, this.result, el("div.safety-code", {}, this.picture, this.#camera()), this.#published());
    this.opened.node.classList.add("wide");
    this.opened.node.addEventListener("close", () => this.#close());
    this.offs = ["contact", "identity"].map((event) => this.client.on(event, () => this.#read()));
    this.#read();
  }

  async #read() {
    try {
      const number = await this.client.safetyNumber(this.id);
      if (!this.closed) this.#show(number);
    } catch (error) {
      this.mark.hidden = true;
      this.#failed(error);
    }
  }

  #show(number) {
    const was = this.number;
    this.number = number;
    this.mark.hidden = this.readonly;
    setText(this.intro, `Compare these digits with the screen of ${this.name}: side by side, or in a call where you know the voice. They show “Verify safety number” in their conversation with you.`);
    setText(this.mark, number.verified ? "Take verification back" : number.changed ? "Accept and mark as verified" : "Mark as verified");
    this.mark.classList.toggle("primary", !number.verified);
    this.state.replaceChildren(...stateOf(number, this.name));
    if (was?.digits === number.digits) return;
    this.result.replaceChildren();
    this.digits.replaceChildren(...number.digits.split(" ").map((group) => el("span", {}, group)));
    drawQr(number.scannable, "Your code, for their camera").then((picture) => this.picture.replaceChildren(picture), () => this.picture.remove());
  }

  async #decide() {
    this.error.clear();
    const { verified, changed, digits } = this.number;
    this.mark.disabled = true;
    try {
      if (changed) await this.client.acceptIdentity(this.id);
      await this.client.verify(this.id, !verified, digits);
      this.decided();
      announce(verified ? "No longer verified." : "Marked as verified.");
      await this.#read();
    } catch (error) {
      this.#failed(error);
    }
    this.mark.disabled = false;
  }

  #failed(error) {
    this.error.show(error?.code === "key_unknown" ? `There is no security key of ${this.name} here yet. Write to them first.` : sentence(error), error?.code);
  }

  /** Compares by `call`, and says what that has shown. Resolves to whether there is an answer. */
  async #compare(call) {
    this.error.clear();
    try {
      const found = await call();
      const [kind, title, help] = FOUND[found](this.name);
      this.result.dataset.found = found;
      this.result.replaceChildren(el(`div.safety-found.${kind}`, {}, icon(kind === "good" ? "verified" : "warning"),
        el("p", {}, el("strong", {}, `${title}. `), help)));
      this.result.scrollIntoView({ block: "nearest" });
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #camera() {
    this.camera = new Camera({ label: "Scan their code", testid: "safety-scan", error: this.error, bytes: true, found: (bytes) => this.#scanned(bytes) });
    const { scan, video } = this.camera;
    scan.hidden = true;
    hasCamera().then((has) => {
      scan.hidden = !has;
    });
    return el("div.stack", {}, scan, video,
      el("p.hint", {}, "Let them scan this code, or scan theirs: one of the two is enough to know."));
  }

  async #scanned(bytes) {
    if (await this.#compare(() => this.client.compareSafetyNumber(this.id, bytes))) this.camera.off();
  }

  #published() {
    const typed = field("Published fingerprint", { testid: "safety-published", rows: 2, autocomplete: "off", spellcheck: "false", inputmode: "numeric", maxlength: 200,
      placeholder: "30 digits" }, "From their website, card or letter. Spaces and line breaks do not matter.");
    const submit = (event) => {
      event.preventDefault();
      this.#compare(() => this.client.compareFingerprint(this.id, typed.input.value));
    };
    return el("details.quiet", {}, el("summary", { testid: "safety-published-open" }, "Compare with a published fingerprint"),
      el("form.stack", { onsubmit: submit }, typed.node, el("div.row", {}, el("button.button", { type: "submit", testid: "safety-published-go" }, "Compare"))));
  }

  #close() {
    this.closed = true;
    this.camera.close();
    for (const off of this.offs) off();
  }
}

function stateOf({ verified, changed, wasVerified }, name) {
  if (verified) return [el("p.safety-found.good", { testid: "safety-verified" }, icon("verified"), el("span", {}, el("strong", {}, "Verified. "), `You have compared this number with ${name}.`))];
  if (!changed) return [];
  return [el("p.banner.warn", { testid: "safety-changed" }, icon("warning"), el("span", {}, el("strong", {}, "This is the number of their new key. "),
    wasVerified ? "You had verified the one before, so compare this one in the same way." : "Accept it only if they show the same one."))];
}
