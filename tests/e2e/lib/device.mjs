// One device of a person: a page of the demo in a browser, driven by what is on the screen (data-testid) or, where the
// screen is not the subject, by window.lockstep.client. Collects everything the page should never do.
import { Browser } from "./browser.mjs";
import { until } from "./poll.mjs";

export class Device {
  /** A device in a browser of its own, or, with `browser`, in a tab of that one and with a store of its own. */
  static async open(relay, { name, browser, store, init } = {}) {
    const own = !browser;
    const device = new Device(relay, { name, browser: browser ?? (await Browser.open()), own, store, init });
    await device.open();
    return device;
  }

  constructor(relay, { name, browser, own, store, init }) {
    Object.assign(this, { relay, name, browser, own, store, init, problems: [] });
  }

  t(id) {
    return this.page.getByTestId(id);
  }

  get address() {
    return `${this.relay.http}/${this.store ? `?store=${this.store}` : ""}`;
  }

  /** A page with a client in it, or with the reason why there is none. */
  async open() {
    this.page = await this.browser.page();
    this.page.on("pageerror", (error) => this.problems.push(`page error: ${error.stack ?? error}`));
    this.page.on("console", (line) => this.#said(line.type(), line.text()));
    if (this.init) await this.page.addInitScript(this.init);
    await this.page.goto(this.address);
    await this.settled();
  }

  #said(type, text) {
    if (/content security policy|trusted ?type/i.test(text)) this.problems.push(`policy: ${text}`);
    else if (/panicked|unreachable|RuntimeError/.test(text)) this.problems.push(`trap: ${text}`);
    else if (type === "error" && !/WebSocket|ERR_|404/.test(text)) this.problems.push(`console: ${text}`);
  }

  settled() {
    const up = this.page.locator("[data-testid=account], [data-testid=welcome-handle], [data-testid=help-here], .fault, .link-stage");
    return up.first().waitFor();
  }

  async reload() {
    await this.page.reload();
    await this.settled();
  }

  /** Opens the browser again after it was closed or killed. */
  async reopen() {
    await this.browser.open();
    await this.open();
  }

  /** What a backup of this device's profile opens as. This one is closed for it, and not opened again. */
  async copied(name) {
    await this.browser.close();
    const copy = new Device(this.relay, { name, browser: this.browser.copy(), own: true, store: this.store });
    return copy;
  }

  close() {
    return this.own ? this.browser.close() : this.page.close();
  }

  remove() {
    return this.own ? this.browser.remove() : this.page.close().catch(() => {});
  }

  /** Nothing comes or goes any more, as in a tunnel. An open socket counts as lost too. */
  async goOffline() {
    await this.browser.context.setOffline(true);
    await this.shows("offline");
  }

  async goOnline() {
    await this.browser.context.setOffline(false);
    await this.shows("online");
  }

  shows(connection) {
    return until(`${this.name} is ${connection}`, async () => (await this.t("connection").getAttribute("data-state")) === connection);
  }

  // By what is on the screen

  async register(handle, deviceName = this.name) {
    await this.t("welcome-handle").fill(handle);
    if (deviceName) await this.t("welcome-device-name").fill(deviceName);
    await this.t("welcome-register").click();
    await this.t("account").waitFor();
  }

  /** This browser asks to be linked; resolves to the text that is shown. */
  async askToBeLinked(deviceName = this.name) {
    await this.t("welcome-device-name").fill(deviceName);
    await this.t("welcome-link").click();
    return this.linkText();
  }

  async linkText() {
    await this.t("link-uri").waitFor();
    return this.t("link-uri").textContent();
  }

  /** On the existing device: pastes the text and goes on to what is asking. Resolves to the words of that screen. */
  async lookAtLink(uri) {
    await this.t("devices-open").click();
    await this.t("link-device-open").click();
    await this.t("link-device-uri").fill(uri);
    await this.t("link-device-next").click();
    await this.t("link-claim").waitFor();
    return this.t("link-claim").textContent();
  }

  /** Opens the list of devices and removes one of the others. */
  async removeDevice(name) {
    await this.t("devices-open").click();
    await this.page.getByRole("button", { name: `Remove ${name}` }).click();
    await this.t("device-remove-confirm").click();
    await until(`${name} is not in the list`, async () => (await this.t("device").filter({ hasText: name }).count()) === 0);
    await this.page.keyboard.press("Escape");
  }

  /** This browser was unlinked: resolves to why. */
  async unlinkedBecause() {
    await this.t("unlinked").waitFor();
    return this.t("unlinked").getAttribute("data-why");
  }

  /** An unlinked browser asks to be linked again; resolves to the text that is shown. */
  async askToBeLinkedAgain() {
    await this.t("unlinked-link-again").click();
    await this.t("link-again-go").click();
    return this.linkText();
  }

  async approveLink() {
    await this.t("link-approve").click();
    await this.t("link-done").waitFor();
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("Escape");
  }

  /** Opens a conversation by handle, as a person would: typing it into the field above the list. */
  async openChat(handle) {
    await this.t("new-message").fill(handle);
    await this.t("new-message-go").click();
    await this.t("composer").waitFor();
  }

  async type(text) {
    await this.t("composer").fill(text);
    await this.t("send").click();
  }

  /** The messages on the screen, in order. */
  shown() {
    return this.t("message").evaluateAll((nodes) => nodes.map((node) => ({
      id: node.dataset.id,
      text: node.querySelector("[data-testid=message-text]").textContent,
      outgoing: node.dataset.outgoing === "true",
      status: node.dataset.status,
    })));
  }

  sees(text) {
    return until(`${this.name} sees “${text}”`, async () => (await this.shown()).some((message) => message.text === text));
  }

  error() {
    return this.t("error").first().getAttribute("data-code");
  }

  // By the package's API

  /** Runs `work(client, argument)` in the page. What it throws comes back as { code, message, retry }. */
  async call(work, argument) {
    const answer = await this.page.evaluate(`(async () => {
      try {
        return { value: await (${work})(window.lockstep.client, ${JSON.stringify(argument)}) };
      } catch (error) {
        const { code, message, retry } = error;
        return { refused: { code, message, retry, error: error instanceof Error } };
      }
    })()`);
    if (answer.refused) throw Object.assign(new Error(`${answer.refused.code}: ${answer.refused.message}`), { refused: answer.refused });
    return answer.value;
  }

  /** The refusal of a call that must not succeed. */
  async refusal(work, argument) {
    try {
      await this.call(work, argument);
    } catch (error) {
      if (error.refused) return error.refused;
      throw error;
    }
    throw new Error("it was not refused");
  }

  send(to, text) {
    return this.call((client, [whom, words]) => client.send(whom, { text: words }), [to, text]);
  }

  /** A whole thread, oldest first, with as many pages as it takes. */
  messages(conversation) {
    return this.call(async (client, id) => {
      const all = [];
      for (;;) {
        const page = await client.messages(id, { limit: 500, ...(all.length && { before: all[0].id }) });
        all.unshift(...page);
        if (page.length < 500) return all;
      }
    }, conversation);
  }

  state() {
    return this.call((client) => client.state());
  }

  online() {
    return until(`${this.name} is online`, () => this.call((client) => client.connection() === "online"));
  }

  /** Signs up without the screen. */
  async signUp(handle, credential) {
    const options = { handle, deviceName: this.name, ...(credential && { credential }) };
    return this.call((client, given) => client.register(given), options);
  }

  /** Asks to be linked without the screen; resolves to the URI. The attempt is kept as `window.attempt`. */
  async offerLink() {
    return this.call(async (client, deviceName) => {
      window.attempt = await client.link({ deviceName });
      return window.attempt.uri;
    }, this.name);
  }

  approve(uri) {
    return this.call(async (client, text) => (await client.openLink(text)).approve(), uri);
  }

  /** Becomes another device of the same person. */
  async joinTo(existing) {
    await existing.approve(await this.offerLink());
    return this.call(() => window.attempt.done);
  }

  account() {
    return this.call((client) => client.account());
  }
}
