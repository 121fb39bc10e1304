// A relay that takes only the platform's tokens: who may take a handle, and who may not.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Browser } from "./lib/browser.mjs";
import { Device } from "./lib/device.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";
import { anHourFromNow, jwt } from "./lib/tokens.mjs";

const secret = randomBytes(48);
const { publicKey, privateKey } = generateKeyPairSync("ed25519");

const signers = {
  HS256: (text) => createHmac("sha256", secret).update(text).digest("base64url"),
  EdDSA: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  none: () => "",
};

const token = (claims, alg = "HS256") => jwt(claims, alg, signers[alg]);

let folder;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-keys-"));
  writeFileSync(join(folder, "secret"), secret);
  writeFileSync(join(folder, "public.pem"), publicKey.export({ type: "spki", format: "pem" }));
  browser = await Browser.open();
});

after(async () => {
  await browser?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const register = (client, [handle, credential]) => client.register({ handle, deviceName: "Laptop", ...(credential && { credential }) });

async function onRelay(args, work) {
  const relay = await Relay.start({ args });
  try {
    await work(relay);
  } finally {
    await relay.remove();
  }
}

describe("the platform's token", { concurrency: false }, () => {
  test("missing, wrong, expired, unsigned, signed by another key or for another handle: credential_refused; then a good one works", () =>
    onRelay(["--jwt-secret", join(folder, "secret")], async (relay) => {
      const alice = await Device.open(relay, { name: "alice", browser, store: "alice" });
      const good = token({ handle: "alice" });
      const bad = { missing: undefined, nonsense: "nonsense", "cut off": good.slice(0, -4), expired: token({ handle: "alice", exp: 1_000_000_000 }),
        "not yet good": token({ handle: "alice", nbf: anHourFromNow() }), "for another handle": token({ handle: "mallory" }),
        unsigned: token({ handle: "alice" }, "none"), "of another kind of key": token({ handle: "alice" }, "EdDSA"), "without expiry": token({ handle: "alice", exp: undefined }) };
      for (const credential of Object.values(bad)) await isRefused(alice, "credential_refused", register, ["alice", credential]);
      assert.equal(await alice.state(), "new");
      assert.equal((await alice.call(register, ["alice", good])).handle, "alice");
      await alice.remove();
    }));

  test("on the screen: refused without it, signed up with it, and a linked browser needs one of the same person", () =>
    onRelay(["--jwt-key", join(folder, "public.pem")], async (relay) => {
      const [laptop, phone] = [await Device.open(relay, { name: "laptop", browser, store: "laptop" }), await Device.open(relay, { name: "phone", browser, store: "phone" })];
      await laptop.t("welcome-handle").fill("alice");
      await laptop.t("welcome-register").click();
      await laptop.t("error").waitFor();
      assert.equal(await laptop.error(), "credential_refused");
      await laptop.page.getByText("I have an access token").click();
      await laptop.t("welcome-token").fill(token({ handle: "alice" }, "EdDSA"));
      await laptop.t("welcome-register").click();
      await laptop.t("account").waitFor();
      const link = async (client, credential) => {
        window.attempt = await client.link({ deviceName: "Phone", ...(credential && { credential }) });
        return window.attempt.uri;
      };
      for (const credential of [undefined, token({ handle: "mallory" }, "EdDSA")]) {
        const uri = await phone.call(link, credential);
        const done = phone.refusal(() => window.attempt.done);
        await laptop.call(async (client, text) => void (await client.openLink(text)).approve().catch(() => {}), uri);
        assert.equal((await done).code, "credential_refused");
        assert.equal(await phone.state(), "new");
      }
      const uri = await phone.call(link, token({ handle: "alice" }, "EdDSA"));
      await laptop.approve(uri);
      assert.equal((await phone.call(() => window.attempt.done)).deviceId, 4, "an id is not given twice, not even after a refusal");
      for (const device of [laptop, phone]) await device.remove();
    }));
});
