// Tokens of a platform, as a relay with a key of it takes them: who somebody is, signed. Knows no relay.
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const anHourFromNow = () => Math.floor(Date.now() / 1000) + 3600;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with these claims, for an hour unless they say otherwise; `sign(text)` gives the signature. */
export function jwt(claims, alg, sign) {
  const text = `${part({ alg, typ: "JWT" })}.${part({ exp: anHourFromNow(), ...claims })}`;
  return `${text}.${sign(text)}`;
}

/** A platform with a secret that its relay knows. */
export class Platform {
  constructor() {
    this.secret = randomBytes(48);
    this.folder = mkdtempSync(join(tmpdir(), "lockstep-keys-"));
    writeFileSync(join(this.folder, "secret"), this.secret);
    this.args = ["--jwt-secret", join(this.folder, "secret")]; // for the relay
  }

  /** What somebody who is signed in has. */
  token(handle) {
    return jwt({ handle }, "HS256", (text) => createHmac("sha256", this.secret).update(text).digest("base64url"));
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
