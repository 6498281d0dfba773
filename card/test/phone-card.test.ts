import { afterEach, beforeEach, expect, test } from "vitest";
import "../src/main";
import type { FaceMessage, KeyFace, PhoneFace } from "../src/face";
import type { HomeAssistant } from "../src/hass";
import type { PhoneCard } from "../src/phone-card";

const key = (number: string, label: string): KeyFace => ({
  key: number,
  kind: "light",
  title: `Key ${number}`,
  label,
  caller: "",
  waiting: "",
  light: "off",
  pattern: "dark",
  color: "#00ff00",
  held_by: null,
  lacking: false,
  confirming: false,
  pressable: true,
  entity_id: null,
});

const FACE: PhoneFace = {
  name: "Kitchen",
  maker: "snom",
  model: "D735",
  card: "",
  may: { press: true, arrange: false },
  status: "in_sync",
  messages: null,
  groups: [],
  keys: [key("1", "Garage"), key("2", "")],
};

let send: (message: FaceMessage) => void;
let commands: unknown[];
let ended: number;
let refused: boolean;

const hass = (): HomeAssistant => ({
  language: "en",
  devices: {},
  connection: {
    subscribeMessage: (listener, command) => {
      commands.push(command);
      send = listener as typeof send;
      return refused
        ? Promise.reject(new Error("not_found"))
        : Promise.resolve(() => {
            ended += 1;
            return Promise.resolve();
          });
    },
  },
});

const shown = async (card: PhoneCard): Promise<string> => {
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
  await card.updateComplete;
  const element = card.shadowRoot?.querySelector("ha-card");
  const { header } = element as unknown as { header?: string };
  return [header, element?.textContent]
    .join(" ")
    .replaceAll(/\s+/g, " ")
    .trim();
};

const make = (device_id?: string): PhoneCard => {
  const card = document.createElement("snom-phone-card");
  card.setConfig({
    type: "custom:snom-phone-card",
    ...(device_id && { device_id }),
  });
  card.hass = hass();
  document.body.append(card);
  return card;
};

beforeEach(() => {
  commands = [];
  ended = 0;
  refused = false;
});

afterEach(() => {
  document.body.replaceChildren();
});

test("shows the name of the phone and its keys, and then what changed", async () => {
  const card = make("device");
  expect(await shown(card)).toBe("Waiting for the phone…");
  send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen 1: Garage2: Key 2");
  send({ changes: { keys: [key("2", "Hall")] } });
  expect(await shown(card)).toBe("Kitchen 1: Garage2: Hall");
  expect(commands).toEqual([
    { type: "snom_buttons/phone/subscribe", device_id: "device" },
  ]);
});

test("subscribes once, anew after it was moved, and ends what it began", async () => {
  const card = make("device");
  await shown(card);
  card.hass = hass();
  await shown(card);
  expect(commands.length).toBe(1);
  document.body.append(card);
  await shown(card);
  expect(commands.length).toBe(2);
  card.remove();
  await shown(card);
  expect(ended).toBe(2);
});

test("follows the phone of its new configuration", async () => {
  const card = make("one");
  send({ phone: FACE });
  await shown(card);
  const late = send;
  card.setConfig({ type: "custom:snom-phone-card", device_id: "other" });
  expect(await shown(card)).toBe("Waiting for the phone…");
  late({ phone: FACE });
  expect(await shown(card)).toBe("Waiting for the phone…");
  expect(ended).toBe(1);
});

test.each([
  ["removed", "This phone was removed."],
  ["stopped", "The server of this phone is stopped."],
] as const)("says that the phone is %s", async (gone, said) => {
  const card = make("device");
  send({ phone: FACE });
  send({ gone });
  expect(await shown(card)).toBe(said);
});

test("says what is wrong without a phone", async () => {
  expect(await shown(make())).toMatch(/^Choose a phone/);
  refused = true;
  expect(await shown(make("unknown"))).toBe("This phone is not known.");
});

test("takes markup in a label as text", async () => {
  const card = make("device");
  send({
    phone: { ...FACE, keys: [key("1", "<img src=x onerror=alert(1)>")] },
  });
  expect(await shown(card)).toContain("<img src=x");
  expect(card.shadowRoot?.querySelector("img")).toBeNull();
});

test("offers the card once", () => {
  expect(window.customCards?.map(({ type }) => type)).toEqual([
    "snom-phone-card",
  ]);
});
