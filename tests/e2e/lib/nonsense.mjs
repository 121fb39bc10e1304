// A server that speaks nonsense where the relay should be. Never more than this: it keeps nothing and answers nobody.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { WebSocketServer } from "ws";
import { Frame, RESPONSE } from "../../interop/codec.mjs";

const answer = (bytes, status, body) => {
  const { request } = Frame.decode(bytes);
  return request && Frame.encode({ type: RESPONSE, response: { id: request.id, status, message: "OK", body } });
};

/** What it does with a new socket, by name. */
const kinds = {
  "random bytes": (socket) => socket.send(randomBytes(300)),
  "text frames": (socket) => socket.send("<html>Sign in to the hotel network</html>"),
  "frames cut in half": (socket) => socket.on("message", (bytes) => socket.send(answer(bytes, 200, Buffer.from("{}")).subarray(0, 3))),
  "answers that are not JSON": (socket) => socket.on("message", (bytes) => socket.send(answer(bytes, 200, Buffer.from("<html>")))),
  "answers with the wrong JSON": (socket) => socket.on("message", (bytes) => socket.send(answer(bytes, 200, Buffer.from('{"uuid":7,"devices":"x"}')))),
  "answers with statuses nobody knows": (socket) => socket.on("message", (bytes) => socket.send(answer(bytes, 299, Buffer.from("")))),
};

export const kindsOfNonsense = Object.keys(kinds);

export class Nonsense {
  constructor(kind) {
    this.kind = kind;
    this.sockets = 0;
  }

  async start(port) {
    this.http = createServer((_, response) => response.writeHead(500).end("<html>nonsense</html>"));
    this.ws = new WebSocketServer({ server: this.http });
    this.ws.on("connection", (socket) => {
      this.sockets += 1;
      socket.on("error", () => {});
      kinds[this.kind](socket);
    });
    await new Promise((resolve, reject) => this.http.once("error", reject).listen(port, "127.0.0.1", resolve));
  }

  async stop() {
    for (const socket of this.ws.clients) socket.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}
