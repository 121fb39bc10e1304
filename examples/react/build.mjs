// Bundles the example into dist/: one script, the page, and lockstep's WebAssembly beside them.
import { build } from "esbuild";
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
mkdirSync(dist, { recursive: true });
await build({
  entryPoints: [join(here, "src", "main.jsx")],
  outfile: join(dist, "main.js"),
  bundle: true,
  format: "esm",
  jsx: "automatic",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  absWorkingDir: here,
  logLevel: "warning",
});
for (const name of ["index.html", "style.css"]) copyFileSync(join(here, "src", name), join(dist, name));
copyFileSync(createRequire(import.meta.url).resolve("lockstep/lockstep_bg.wasm"), join(dist, "lockstep_bg.wasm"));
