// A window over the page: a menu beside what opened it (on a phone, at the bottom edge), or a dialog in the middle.
// Modal, so the keyboard stays in it; Escape or a click beside it closes it, and the focus goes back to where it was.
// Does not know what is in it.

import { el } from "../dom.js";
import { icon } from "../icons.js";

const EDGE_PX = 8;
const narrow = matchMedia("(max-width: 719px)");

/** Opens at once. Returns { node, close }. */
function open(node, settle) {
  const leave = () => node.close();
  const resized = () => requestAnimationFrame(() => node.isConnected && settle());
  const observer = new ResizeObserver(settle); // a sentence may come into it, too
  node.addEventListener("close", () => {
    observer.disconnect();
    window.removeEventListener("resize", resized);
    window.removeEventListener("hashchange", leave);
    node.remove();
  });
  node.addEventListener("click", (event) => event.target === node && leave());
  window.addEventListener("resize", resized);
  window.addEventListener("hashchange", leave);
  document.body.append(node);
  node.showModal();
  settle();
  observer.observe(node);
  return { node, close: leave };
}

/** A menu at `anchor`; its buttons are walked with the arrow keys. */
export function menu({ label, anchor, testid, first }, ...children) {
  const node = el("dialog.popup.menu", { "aria-label": label, testid }, el("div.popup-body", {}, ...children));
  node.addEventListener("keydown", (event) => walk(node, event));
  const opened = open(node, () => place(node, anchor));
  (first ?? node.querySelector("button"))?.focus();
  return opened;
}

/** A dialog with a heading; at its end what it is for, if that is one button, and a way out. */
export function dialog({ title, testid, action, leave = "Cancel" }, ...children) {
  const heading = el("h2", { tabIndex: -1 }, title);
  const out = el("button.button", { type: "button", testid: "dialog-leave", onclick: () => node.close() }, leave);
  const node = el("dialog.popup.dialog", { "aria-label": title, testid },
    el("div.popup-body.stack", {}, heading, ...children, el("div.row.dialog-end", {}, out, action)));
  const opened = open(node, () => {});
  heading.focus();
  return opened;
}

/** One line of a menu. */
export function menuItem(picture, text, { testid, run, danger = false }) {
  return el(`button.menu-item${danger ? ".danger-text" : ""}`, { type: "button", testid, onclick: run }, icon(picture), el("span", {}, text));
}

function place(node, anchor) {
  node.style.left = node.style.top = "";
  if (narrow.matches || !anchor?.isConnected) return;
  const at = anchor.getBoundingClientRect();
  const [width, height] = [node.offsetWidth, node.offsetHeight];
  const below = at.bottom + EDGE_PX / 2;
  const top = below + height <= innerHeight - EDGE_PX ? below : at.top - height - EDGE_PX / 2;
  const left = at.left + width <= innerWidth - EDGE_PX ? at.left : at.right - width;
  node.style.left = `${Math.max(EDGE_PX, left)}px`;
  node.style.top = `${Math.max(EDGE_PX, Math.min(top, innerHeight - height - EDGE_PX))}px`;
}

/** Up and down go from line to line, a row of buttons counting as one; left and right go within a row. */
function walk(node, event) {
  const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || event.target.matches("input, textarea")) return;
  const row = event.target.closest("[role=group]");
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (sideways && !row) return;
  const stops = sideways ? [...row.querySelectorAll("button")] : lines(node);
  const at = stops.findIndex((stop) => stop === event.target || stop.closest("[role=group]")?.contains(event.target));
  const here = sideways ? stops.indexOf(event.target) : at;
  event.preventDefault();
  stops[(here + step + stops.length) % stops.length]?.focus();
}

const lines = (node) => [...node.querySelectorAll("button")].filter((button) =>
  !button.closest("form") && (!button.closest("[role=group]") || button.closest("[role=group]").querySelector("button") === button));
