// Making and arranging DOM nodes. Text goes in as text nodes only; there is no way to pass markup.
// Does not know what Lockstep is.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "disabled", "hidden", "checked", "tabIndex", "srcObject", "muted"]);

/** `el("button.primary", { testid: "send", onclick }, "Send")`. Null and false children are left out. */
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === undefined || value === null) return;
  if (typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (PROPERTIES.has(name)) node[name] = value;
  else if (name === "testid") node.dataset.testid = value;
  else if (value !== false) node.setAttribute(name, value === true ? "" : String(value));
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Makes `parent` hold exactly `nodes`, in order, moving only what is out of place (so focus and scroll survive). */
export function reconcile(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** One tab stop for a whole list: arrows, Home and End move inside it. Call the result after the list changed. */
export function roving(container, selector) {
  const items = () => [...container.querySelectorAll(selector)];
  const settle = (preferred) => {
    const all = items();
    const stop = preferred ?? all.find((item) => item === document.activeElement)
      ?? all.find((item) => item.getAttribute("aria-current")) ?? all[0];
    for (const item of all) item.tabIndex = item === stop ? 0 : -1;
  };
  container.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(event.target.closest(selector));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(to, 0), all.length - 1)];
    settle(next);
    next.focus();
  });
  container.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) settle(item);
  });
  return () => settle();
}
