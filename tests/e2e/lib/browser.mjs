// A browser of its own for each device: a real Chromium with a profile on disk, which can be closed, killed and opened again.
// Default contexts keep IndexedDB in memory, so only a persistent context will do. Knows nothing of Lockstep.
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { PATIENCE_MS } from "./poll.mjs";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export class Browser {
  /** `options` are playwright's for the context. */
  static async open(options = {}) {
    if (!existsSync(executablePath)) throw new Error("There is no Chromium: install it, or name one in CHROMIUM.");
    const browser = new Browser(mkdtempSync(join(tmpdir(), "lockstep-profile-")), options);
    await browser.open();
    return browser;
  }

  /** A closed browser's profile, copied as a backup would; not open yet. */
  copy() {
    const profile = mkdtempSync(join(tmpdir(), "lockstep-profile-"));
    const held = /^Singleton|\.lock$/; // who has the profile open
    cpSync(this.profile, profile, { recursive: true, filter: (path) => !held.test(path.slice(path.lastIndexOf("/") + 1)) });
    return new Browser(profile, this.options);
  }

  constructor(profile, options) {
    Object.assign(this, { profile, options, context: undefined });
  }

  /** Opens it, or opens it again with the same profile. */
  async open() {
    const viewport = { width: 1280, height: 800 };
    this.context = await chromium.launchPersistentContext(this.profile, { executablePath, args, viewport, ...this.options });
    this.context.setDefaultTimeout(PATIENCE_MS);
  }

  /** A new tab, or the empty one that a browser starts with. */
  async page() {
    const empty = this.context.pages().find((page) => page.url() === "about:blank" && !page.taken);
    const page = empty ?? (await this.context.newPage());
    page.taken = true;
    return page;
  }

  async close() {
    await this.context?.close();
    this.context = undefined;
  }

  /** The whole browser dies at once, as when the machine runs out of memory. */
  async kill() {
    const session = await this.context.browser().newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const gone = new Promise((resolve) => this.context.once("close", resolve));
    for (const { id } of processInfo.sort((a) => (a.type === "browser" ? -1 : 1))) {
      try {
        process.kill(id, "SIGKILL");
      } catch (error) {
        if (error.code !== "ESRCH") throw error; // it went down with its parent
      }
    }
    await gone;
    this.context = undefined;
  }

  async remove() {
    await this.close().catch(() => {});
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
