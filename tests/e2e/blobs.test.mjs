// Blobs from a real browser to a real relay, with nothing in between but fetch: what a browser asks first, what it lets a page
// see, and whether a refusal arrives that comes while it still sends. What our client makes of it is in tests/blobs.rs.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { Bob } from "../interop/bob.mjs";
import { Browser } from "./lib/browser.mjs";
import { Relay } from "./lib/relay.mjs";

const SIZE = 3 * 1024 * 1024 + 5;
const bytes = randomBytes(SIZE);
const sha256 = createHash("sha256").update(bytes).digest("base64");
let relay;
let browser;
let bob;
let authorization;
const pages = {}; // by name: a page of an origin that may ask, and one that may not
const servers = [];

/** A page on an origin of its own. */
async function elsewhere() {
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
  servers.push(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

before(async () => {
  const [allowed, foreign] = [await elsewhere(), await elsewhere()];
  relay = await Relay.start({ args: ["--dev", "--allow-origin", allowed] });
  bob = await Bob.register(relay.http, "bob");
  authorization = `Basic ${Buffer.from(`${bob.account}.1:${bob.password}`).toString("base64")}`;
  browser = await Browser.open();
  for (const [name, url] of Object.entries({ own: relay.http, allowed, foreign })) {
    pages[name] = await browser.page();
    await pages[name].goto(url);
  }
});

after(async () => {
  await bob?.close();
  await browser?.remove();
  await relay?.remove();
  for (const server of servers) server.close();
});

const address = () => `${relay.http}/v1/blobs/${randomBytes(16).toString("hex")}`;

/** Runs in the page: one request; { status, json, length, range }, or { error } where the page is told nothing. */
async function ask([url, method, headers, body]) {
  const content = body?.count === undefined ? body : Uint8Array.from(atob(body.base64), (c) => c.charCodeAt(0));
  try {
    const response = await fetch(url, { method, headers, body: content, credentials: "omit", redirect: "error" });
    const got = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(got.slice(0, 1000));
    const json = text.startsWith("{") ? JSON.parse(text) : undefined;
    const hash = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", got))));
    return { status: response.status, json, length: got.length, range: response.headers.get("content-range"), hash };
  } catch (error) {
    return { error: error.name };
  }
}

const slice = (from, to) => ({ base64: bytes.subarray(from, to).toString("base64"), count: to - from });

async function upload(page, url) {
  const headers = { authorization };
  const begin = [url, "PUT", headers, JSON.stringify({ size: SIZE })];
  assert.deepEqual((await page.evaluate(ask, begin)).json, { offset: 0, complete: false });
  for (let from = 0; from < SIZE; from += 1024 * 1024) {
    const to = Math.min(SIZE, from + 1024 * 1024);
    assert.deepEqual((await page.evaluate(ask, begin)).json, { offset: from, complete: false });
    const sent = await page.evaluate(ask, [url, "PATCH", { ...headers, "upload-offset": `${from}` }, slice(from, to)]);
    assert.deepEqual(sent.json, { offset: to, complete: false });
  }
  const done = await page.evaluate(ask, [url, "POST", headers, JSON.stringify({ sha256 })]);
  assert.equal(done.status, 204);
}

describe("blobs in a browser", { concurrency: false }, () => {
  for (const name of ["own", "allowed"]) {
    test(`a page of ${name === "own" ? "the relay's own" : "an allowed"} origin uploads in slices and fetches whole and in part`, async () => {
      const url = address();
      await upload(pages[name], url);
      const whole = await pages[name].evaluate(ask, [url, "GET", {}]);
      assert.deepEqual([whole.status, whole.length, whole.hash], [200, SIZE, sha256]);
      const part = await pages[name].evaluate(ask, [url, "GET", { range: "bytes=100-1099" }]);
      const hash = createHash("sha256").update(bytes.subarray(100, 1100)).digest("base64");
      assert.deepEqual([part.status, part.range, part.hash], [206, `bytes 100-1099/${SIZE}`, hash]);
      const gone = await pages[name].evaluate(ask, [url, "DELETE", { authorization }]);
      assert.equal(gone.status, 204);
      assert.deepEqual((await pages[name].evaluate(ask, [url, "GET", {}])).json, { code: "blob_unknown" });
    });
  }

  test("a page of a foreign origin can neither upload nor see a blob", async () => {
    const url = address();
    await upload(pages.own, url);
    const refused = [
      [address(), "PUT", { authorization }, JSON.stringify({ size: 5 })],
      [url, "GET", {}],
      [url, "GET", { range: "bytes=0-9" }],
      [url, "DELETE", { authorization }],
    ];
    for (const request of refused) assert.deepEqual(await pages.foreign.evaluate(ask, request), { error: "TypeError" });
    assert.equal((await pages.own.evaluate(ask, [url, "GET", {}])).length, SIZE);
  });

  test("a refusal that comes while a page still sends arrives", async () => {
    const stranger = { authorization: `Basic ${Buffer.from(`${bob.account}.1:wrong`).toString("base64")}`, "upload-offset": "0" };
    for (let n = 0; n < 2; n += 1) {
      const answer = await pages.allowed.evaluate(ask, [address(), "PATCH", stranger, slice(0, SIZE)]);
      assert.equal(answer.status, 401);
      const unknown = await pages.allowed.evaluate(ask, [address(), "PATCH", { ...stranger, authorization }, slice(0, SIZE)]);
      assert.deepEqual([unknown.status, unknown.json], [404, { code: "blob_unknown" }]);
    }
  });
});
