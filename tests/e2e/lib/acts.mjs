// What a person does to messages on the screen, and what the screen shows of it.
import { until } from "./poll.mjs";

/** The node of the message that says this, exactly. */
export const saying = (device, text) =>
  device.t("message").filter({ has: device.page.getByTestId("message-text").getByText(text, { exact: true }) });

export const byId = (device, id) => device.page.locator(`[data-testid=message][data-id="${id}"]`);

/** By mouse: the menu of a message. */
export async function openMenu(device, message) {
  await message.hover();
  await message.getByTestId("message-actions").click();
  await device.t("message-menu").waitFor();
}

export async function choose(device, message, testid) {
  await openMenu(device, message);
  await device.t(testid).click();
}

/** Keys, one after the other. */
export async function press(device, ...keys) {
  for (const key of keys) await device.page.keyboard.press(key);
}

/** By keyboard alone, from the composer: the menu of the newest message. */
export async function openLastByKeyboard(device) {
  await device.t("composer").focus();
  await press(device, "Shift+Tab", "Enter");
  await device.t("message-menu").waitFor();
}

/** What the screen shows of a message, or undefined. */
export const seen = (device, id) => byId(device, id).evaluateAll(([node]) => {
  if (!node) return undefined;
  const part = (testid) => [...node.querySelectorAll(`[data-testid=${testid}]`)];
  return {
    kind: node.dataset.kind,
    text: part("message-text")[0].textContent,
    quote: part("quote")[0]?.textContent,
    edited: part("edited").length > 0,
    reactions: part("reaction").map((chip) => chip.getAttribute("aria-label")),
  };
});

/** Waits until all screens show a message so. */
export const allSee = (devices, what, id, right) => Promise.all(devices.map((device) =>
  until(`${device.name} sees ${what}`, async () => {
    const message = await seen(device, id);
    return message ? right(message) : right === isGone;
  })));

export const isGone = () => false;

/** The id of the message that says this, once it is on the screen. */
export async function idOf(device, text) {
  await device.sees(text);
  return saying(device, text).getAttribute("data-id");
}
