import { afterEach, beforeEach, expect, test } from "vitest";
import "../src/main";
import type { PhoneCard } from "../src/phone-card";
import { FACE, Server, drawn, keyFace, violations } from "./support";

let server: Server;

beforeEach(() => {
  server = new Server();
});

afterEach(() => {
  document.body.replaceChildren();
});

const make = (device_id?: string): PhoneCard => {
  const card = document.createElement("snom-phone-card");
  const type = "custom:snom-phone-card";
  card.setConfig(device_id ? { type, device_id } : { type });
  card.hass = server.hass();
  document.body.append(card);
  return card;
};

/** Return the texts of a card. */
const shown = async (card: PhoneCard): Promise<string> => {
  await drawn(card);
  const element = card.shadowRoot?.querySelector("ha-card");
  const { header } = element as unknown as { header?: string };
  return [header, element?.textContent]
    .join(" ")
    .replaceAll(/\s+/g, " ")
    .trim();
};

test("shows the name of the phone and its keys, and then what changed", async () => {
  const card = make("device");
  expect(await shown(card)).toBe("Waiting for the phone…");
  server.send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen 1: Garage2: Key 2");
  server.send({ changes: { keys: [keyFace("2", { label: "Hall" })] } });
  expect(await shown(card)).toBe("Kitchen 1: Garage2: Hall");
  expect(server.commands).toEqual([
    { type: "snom_buttons/phone/subscribe", device_id: "device" },
  ]);
  expect(await violations(card)).toEqual([]);
});

test("subscribes once, anew after it was moved, and ends what it began", async () => {
  const card = make("device");
  await drawn(card);
  card.hass = server.hass();
  await drawn(card);
  expect(server.commands.length).toBe(1);
  document.body.append(card);
  await drawn(card);
  expect(server.commands.length).toBe(2);
  card.remove();
  await drawn(card);
  expect(server.ended).toBe(2);
});

test("follows the phone of its new configuration", async () => {
  const card = make("one");
  const { send } = server;
  send({ phone: FACE });
  await drawn(card);
  card.setConfig({ type: "custom:snom-phone-card", device_id: "other" });
  expect(await shown(card)).toBe("Waiting for the phone…");
  send({ phone: FACE }); // late
  expect(await shown(card)).toBe("Waiting for the phone…");
  expect(server.ended).toBe(1);
});

test.each([
  ["removed", "This phone was removed."],
  ["stopped", "The server of this phone is stopped."],
] as const)("says that the phone is %s", async (gone, said) => {
  const card = make("device");
  server.send({ phone: FACE });
  server.send({ gone });
  expect(await shown(card)).toBe(said);
});

test("says what is wrong without a phone", async () => {
  expect(await shown(make())).toMatch(/^Choose a phone/);
  server.refuses = true;
  expect(await shown(make("unknown"))).toBe("This phone is not known.");
});

test("takes markup in a label as text", async () => {
  const card = make("device");
  const label = "<img src=x onerror=alert(1)>";
  server.send({ phone: { ...FACE, keys: [keyFace("1", { label })] } });
  expect(await shown(card)).toContain(label);
  expect(card.shadowRoot?.querySelector("img")).toBeNull();
});
