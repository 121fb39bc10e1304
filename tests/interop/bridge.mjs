// From a browser to Signal's mock server: pages on plain HTTP, and each WebSocket handed on to the mock server's HTTP/2.
// The mock server takes WebSockets only by extended CONNECT (RFC 8441) and only with TLS; a browser opens them with an
// HTTP/1.1 upgrade. Behind the two handshakes the frames are the same, so the bridge copies bytes and reads none of them.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:http2";
import { extname, join, normalize } from "node:path";
import { root } from "../e2e/lib/relay.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };

export class Bridge {
  /** `port` is the mock server's, `ca` the certificate that signed its own. */
  static async start({ port, ca }) {
    const bridge = new Bridge(port, ca);
    await new Promise((resolve) => bridge.server.listen(0, "127.0.0.1", resolve));
    return bridge;
  }

  constructor(port, ca) {
    Object.assign(this, { target: `https://localhost:${port}`, ca, sockets: new Set() });
    this.server = createServer(servePage);
    this.server.on("upgrade", (request, socket, head) => this.#hand(request, socket, head));
  }

  get http() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** One connection of its own to the mock server for each WebSocket: what ends the one ends the other. */
  #hand(request, socket, head) {
    const session = connect(this.target, { ca: this.ca });
    const end = () => {
      this.sockets.delete(end);
      socket.destroy();
      session.destroy();
    };
    this.sockets.add(end);
    for (const side of [socket, session]) side.on("error", end).on("close", end);
    session.once("remoteSettings", ({ enableConnectProtocol }) => {
      if (!enableConnectProtocol) return end();
      const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": request.url, "sec-websocket-version": "13" });
      stream.on("error", end);
      return stream.once("response", ({ ":status": status }) => {
        if (status !== 200) return end();
        const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
        stream.write(head);
        socket.pipe(stream).pipe(socket);
        return undefined;
      });
    });
  }

  /** Cuts every WebSocket, as a network does. */
  cut() {
    for (const end of [...this.sockets]) end();
  }

  close() {
    this.cut();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** The demo and the package, as the relay would serve them. */
function servePage(request, response) {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const file = path === "/" ? join(root, "www", "index.html") : join(root, path.startsWith("/pkg/") ? "" : "www", path);
  const type = types[extname(file)];
  if (!type || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  return createReadStream(file).pipe(response.writeHead(200, { "content-type": type }));
}
