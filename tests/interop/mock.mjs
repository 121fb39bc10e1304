// Signal's own mock server (npm @signalapp/mock-server) behind a bridge, as a service for browsers. No code of ours is on
// the other end: the primary devices it plays use Signal's library, its protobuf files and its rules.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Device } from "../e2e/lib/device.mjs";
import { Bridge } from "./bridge.mjs";

// It is written for a newer Node than the oldest that we run on.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new this((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
};

const require = createRequire(import.meta.url);
const mock = require("@signalapp/mock-server");

export const { EMPTY_DATA_MESSAGE } = mock;
export const { encryptAttachment } = require("@signalapp/mock-server/src/crypto.js");
export const { attachmentToPointer } = require("@signalapp/mock-server/src/data/attachment.js");

export class SignalService {
  static async start() {
    const service = new SignalService();
    await service.server.listen(0, "localhost");
    const { certificateAuthority: ca } = await mock.loadCertificates();
    service.bridge = await Bridge.start({ port: service.server.address().port, ca });
    return service;
  }

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "lockstep-signal-"));
    this.server = new mock.Server({ cdn3Path: this.folder });
    this.sends = []; // { to, devices } of every send it has taken
    const { server } = this;
    const taken = server.handlePreparedMultiDeviceMessage.bind(server);
    server.handlePreparedMultiDeviceMessage = (source, to, prepared) => {
      this.sends.push({ to, devices: prepared.targets.map(([target]) => target.deviceId).sort() });
      return taken(source, to, prepared);
    };
  }

  /** A person with a phone: Signal's code, in this process. */
  person(profileName, options = {}) {
    return this.server.createPrimaryDevice({ profileName, ...options });
  }

  /** A browser of ours, on the page that the bridge serves. */
  browser(options) {
    return Device.open(this.bridge, options);
  }

  /** The phone scans what the browser shows. Resolves to the new device as the service knows it. */
  async link(device, phone) {
    const waits = this.server.waitForProvision();
    const provisionURL = await device.askToBeLinked();
    const linked = await (await waits).complete({ provisionURL, primaryDevice: phone });
    await device.t("account").waitFor();
    return linked;
  }

  /** What a device signs in with. */
  authorization({ aci, deviceId }) {
    const name = `${aci}.${deviceId}`;
    return `Basic ${Buffer.from(`${name}:${this.server.devicesByAuth.get(name).password}`).toString("base64")}`;
  }

  async close() {
    await this.bridge.close();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
