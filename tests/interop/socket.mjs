// Requests and answers on the relay's WebSocket, both ways. What a path or a body means is not known here.
import WebSocket from "ws";
import { Frame, REQUEST, RESPONSE } from "./codec.mjs";

const PATIENCE_MS = 30_000;

export class RelaySocket {
  /** `onRequest({ verb, path, headers, body })` resolves to the status of the answer. Requests are dealt with in order. */
  static async open(relay, onRequest) {
    const socket = new WebSocket(`${relay.replace(/^http/, "ws")}/v1/websocket/`);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return new RelaySocket(socket, onRequest);
  }

  constructor(socket, onRequest) {
    Object.assign(this, { socket, onRequest, open: new Map(), last: 0, turn: Promise.resolve() });
    socket.on("message", (bytes) => this.#heard(Frame.decode(bytes)));
    socket.on("error", () => {});
    socket.on("close", (code) => {
      for (const { reject } of this.open.values()) reject(new Error(`the relay closed the socket with ${code}`));
      this.open.clear();
    });
  }

  /** Resolves to { status, headers, body, json() }. `body` may be bytes or a JSON value. */
  request(verb, path, body, headers = []) {
    const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const id = (this.last += 1);
    const answered = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${verb} ${path}`)), PATIENCE_MS);
      const done = (settle) => (value) => {
        clearTimeout(timer);
        this.open.delete(id);
        settle(value);
      };
      this.open.set(id, { resolve: done(resolve), reject: done(reject) });
    });
    this.#send({ type: REQUEST, request: { verb, path, body: bytes, headers, id } });
    return answered;
  }

  #send(frame) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(Frame.encode(frame));
  }

  #heard({ request, response }) {
    if (response) {
      const { status, headers, body = new Uint8Array() } = response;
      const json = () => JSON.parse(Buffer.from(body).toString("utf8"));
      this.open.get(response.id)?.resolve({ status, headers, body, json });
    }
    if (request) this.turn = this.turn.then(() => this.#answer(request));
  }

  async #answer(request) {
    const status = await this.onRequest(request);
    this.#send({ type: RESPONSE, response: { id: request.id, status, message: status === 200 ? "OK" : "Error" } });
  }

  close() {
    return new Promise((resolve) => {
      if (this.socket.readyState === WebSocket.CLOSED) return resolve();
      this.socket.once("close", resolve);
      return this.socket.close();
    });
  }
}
