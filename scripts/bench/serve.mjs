// A web server for one empty page and the modules that are measured in it. The page is isolated, since only an isolated
// page has a clock that is finer than a tenth of a millisecond. Knows nothing of what the modules do.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { inRoot } from "../lib/env.mjs";

const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const page = "<!doctype html><meta charset=utf-8><title>bench</title><link rel=icon href=data:,>";

/** Resolves to { origin, close() }. */
export async function serve({ pkg = inRoot("pkg") } = {}) {
  const folders = { "/pkg/": pkg, "/bench/": inRoot(".lockstep", "bench") };
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const folder = Object.keys(folders).find((start) => path.startsWith(start));
    const file = folder && join(folders[folder], path.slice(folder.length));
    const type = types[extname(path)];
    if (path === "/") response.writeHead(200, { ...isolated, "content-type": "text/html" }).end(page);
    else if (!type || !file || !existsSync(file)) response.writeHead(404).end();
    else createReadStream(file).pipe(response.writeHead(200, { ...isolated, "content-type": type, "cache-control": "max-age=600" }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
