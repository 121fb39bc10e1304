// The icons, drawn as stroked paths on a 24-unit square. Decorative unless given a label.
// Does not know where they are used.

import { svg } from "./dom.js";

/** Paths to stroke; or a shape of another width, with paths to fill below those. */
const PATHS = {
  back: ["M15 5l-7 7 7 7"],
  devices: ["M4 5h12v9H4z", "M2 18h9", "M15 10h6v10h-6z", "M17.5 17.5h1"],
  device: ["M4 5h16v11H4z", "M9 20h6", "M12 16v4"],
  phone: ["M7 3h10v18H7z", "M11 18h2"],
  send: ["M12 19V5", "M5.5 11.5L12 5l6.5 6.5"],
  timer: ["M12 6a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M9.5 3h5", "M12 9.5v4l2.5 1.5"],
  queued: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7.5V12l3 2"],
  sent: ["M5 12.5l4.5 4.5L19 7.5"],
  delivered: { width: 31, paths: ["M3 12.5l4.5 4.5L17 7.5", "M14.5 16l1 1L25 7.5"] },
  read: { width: 34, filled: ["M12 2h10a10 10 0 0 1 0 20H12a10 10 0 0 1 0-20z"], paths: ["M6.5 12.5l4 4L18 8.5", "M17 15.5l1 1L26 8.5"] },
  failed: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7.5v5.5", "M12 16.4v.1"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  unreadable: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 6.7-1.4", "M12 14.5v2"],
  staff: ["M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", "M3 19.5c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5", "M15.5 5.6a3.3 3.3 0 0 1 0 5.8", "M17.5 14.6c2.1.7 3.5 2.5 3.5 4.9"],
  verified: ["M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6z", "M8.5 12l2.5 2.5 4.5-5"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.5 15.5L20 20"],
  compose: ["M5 19h4L19.5 8.5l-4-4L5 15z", "M13.5 6.5l4 4"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  camera: ["M3 8h4l2-3h6l2 3h4v11H3z", "M12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z"],
  plus: ["M12 5v14", "M5 12h14"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  down: ["M12 5v14", "M5.5 12.5L12 19l6.5-6.5"],
  warning: ["M12 4L2.8 19.5h18.4z", "M12 10v4.5", "M12 17v.1"],
  chat: ["M4 5h16v11H11l-4.5 4v-4H4z"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  reply: ["M9 6l-6 5.5L9 17", "M3.5 11.5H14a6.5 6.5 0 0 1 6.5 6.5v1"],
  edit: ["M5 19h4L19.5 8.5l-4-4L5 15z", "M13.5 6.5l4 4"],
  pin: ["M9 4h6l-.8 6 3.3 3v2h-11v-2l3.3-3z", "M12 15v5.5"],
  bell: ["M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15z", "M10 21h4"],
  muted: ["M7.2 7.6A6 6 0 0 0 6 11v6l-1.5 1.5H17", "M9.2 5.7A6 6 0 0 1 18 11v4", "M10 21h4", "M4 3.5l16.5 17"],
  unread: ["M4 6h10", "M4 6l8 6.5 3-2.4", "M4 6v13h16v-8", "M19 3.2a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6z"],
  archive: ["M3.5 5h17v4h-17z", "M5.5 9v10h13V9", "M10 13h4"],
  block: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M5.8 5.8l12.4 12.4"],
  settings: ["M4 7h9", "M17 7h3", "M15 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4z", "M4 16h3", "M11 16h9", "M9 14a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"],
  trash: ["M4 7h16", "M9 7V4h6v3", "M6 7l1 13h10l1-13", "M10 11v5.5", "M14 11v5.5"],
  attach: ["M20 11.5l-8.2 8.2a5.2 5.2 0 0 1-7.4-7.4L13 3.8a3.5 3.5 0 0 1 5 5L9.6 17.1a1.7 1.7 0 0 1-2.5-2.5L14.6 7"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4"],
  picture: ["M4 5h16v14H4z", "M4 16l4.5-4.5 4 4 2.5-2.5 5 5", "M15 8.4v.1"],
  download: ["M12 4v11", "M6.5 10L12 15.5 17.5 10", "M5 20h14"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3", "M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7L12 17.7"],
};

/** With a label the icon is an image with that name; without one it is hidden from assistive technology. */
export function icon(name, label) {
  const { width = 24, filled = [], paths } = Array.isArray(PATHS[name]) ? { paths: PATHS[name] } : PATHS[name];
  const shape = svg("svg", { viewBox: `0 0 ${width} 24`, class: `icon icon-${name}`, focusable: "false" });
  if (label) {
    shape.setAttribute("role", "img");
    shape.setAttribute("aria-label", label);
  } else {
    shape.setAttribute("aria-hidden", "true");
  }
  for (const d of filled) shape.append(svg("path", { d, class: "filled" }));
  for (const d of paths) shape.append(svg("path", { d }));
  return shape;
}
