// Gets the machine ready by way of scripts/setup-wasm.sh, which says itself what it does and what is missing.
import { spawnSync } from "node:child_process";
import { root } from "./env.mjs";

/** True when everything is there. The sentence that says what is not has been printed then. */
export function setUp({ browser }) {
  const args = ["scripts/setup-wasm.sh", ...(browser ? ["--with-browser"] : [])];
  const { status, error } = spawnSync("bash", args, { cwd: root, stdio: "inherit" });
  if (error) console.error("bash is missing: install it (on Windows, work inside WSL).");
  return status === 0;
}
