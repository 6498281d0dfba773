import { afterEach, beforeEach, expect, test } from "vitest";
import "../src/main";
import type { PhoneCard } from "../src/phone-card";
import en from "../src/texts/en.json";
import { FACE, Server, device, drawn, keyFace, violations } from "./support";

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

const viewOf = (card: PhoneCard): Element | null | undefined =>
  card.shadowRoot?.querySelector("snom-phone-face");

/** Return the texts of a card. */
const shown = async (card: PhoneCard): Promise<string> => {
  await drawn(card);
  const root = viewOf(card)?.shadowRoot;
  const said = root
    ? [...root.querySelectorAll("h2, .problem, .name")]
    : [card.shadowRoot?.querySelector("ha-card")];
  return said.map((it) => it?.textContent.trim() ?? "").join("; ");
};

test("shows the name of the phone and its keys, and then what changed", async () => {
  const card = make("device");
  expect(await shown(card)).toBe("Waiting for the phone…");
  server.send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen; Garage; Key 2");
  server.send({ changes: { keys: [keyFace("2", { label: "Hall" })] } });
  expect(await shown(card)).toBe("Kitchen; Garage; Hall");
  server.send({ changes: { status: "absent" } });
  expect(await shown(card)).toBe(
    "Kitchen; The phone is not registered; Garage; Hall"
  );
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

test("says that the phone is removed", async () => {
  const card = make("device");
  server.send({ phone: FACE });
  server.send({ gone: "removed" });
  expect(await shown(card)).toBe("This phone was removed.");
  server.send({ phone: FACE });
  server.send({ gone: "unauthorized" });
  expect(await shown(card)).toBe("You may not see this phone.");
});

test("keeps the drawing while the server is stopped, without a use", async () => {
  const card = make("device");
  server.send({ gone: "stopped" });
  expect(await shown(card)).toBe("The server of this phone is stopped.");
  server.send({ phone: FACE });
  server.send({ gone: "stopped" });
  expect(await shown(card)).toBe(
    "Kitchen; The server of this phone is stopped; Garage; Key 2"
  );
  const keys = viewOf(card)?.shadowRoot?.querySelectorAll("button.key") ?? [];
  expect([...keys].map((key) => key.getAttribute("aria-disabled"))).toEqual([
    "true",
    "true",
  ]);
  server.send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen; Garage; Key 2");
});

test.each([
  ["not_found", "This phone is not known."],
  ["unauthorized", "You may not see this phone."],
  ["unknown_error", "This phone cannot be shown: Not permitted"],
])("says why the server refuses: %s", async (code, said) => {
  server.refuses = code;
  const card = make("device");
  await drawn(card);
  expect(await shown(card)).toBe(said);
});

test("without a phone shows an example, and asks for one if there is any", async () => {
  const card = make();
  expect(await shown(card)).toMatch(/^Example; Kitchen; Front door;/);
  const said = card.shadowRoot?.querySelector("[role=status]");
  expect(said?.textContent).toBe(en["panel.empty"]);
  card.hass = server.hass({ devices: { "9": device("9", "Phone 9") } });
  card.setConfig({ type: "custom:snom-phone-card" });
  await drawn(card);
  expect(said?.textContent).toBe(en["card.no_device"]);
  expect(server.commands).toEqual([]);
  expect(await violations(card)).toEqual([]);
});

test("refuses what is not the ID of a device", () => {
  const card = make("device");
  const config = { type: "custom:snom-phone-card", device_id: 7 };
  expect(() => {
    card.setConfig(config as unknown as Parameters<typeof card.setConfig>[0]);
  }).toThrow("device_id");
});

test("subscribes again after a lost connection, with what it shows in place", async () => {
  const card = make("device");
  server.send({ phone: FACE });
  await drawn(card);
  server.fire("disconnected");
  const lost = "Kitchen; No connection to Home Assistant; Garage; Key 2";
  expect(await shown(card)).toBe(lost);
  server.fire("ready");
  expect(await shown(card)).toBe(lost);
  expect(server.commands.length).toBe(2);
  expect(server.ended).toBe(0); // its ID is of another subscription now
  server.send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen; Garage; Key 2");
  card.remove();
  expect(server.listeners).toEqual({ disconnected: [], ready: [] });
});

test("each card of a page subscribes once again after a lost connection", async () => {
  const heard: string[] = [];
  const devices = ["one", "two", "three"];
  const cards = devices.map((device_id) => make(device_id));
  server.listeners.ready.push(() => heard.push("another listener of the page"));
  await drawn(cards[0] as PhoneCard);
  server.commands.splice(0);
  server.fire("ready");
  expect(
    server.commands.map((it) => (it as { device_id: string }).device_id)
  ).toEqual(devices);
  expect(heard.length).toBe(1);
  for (const card of cards) card.remove();
  expect(server.listeners.ready.length).toBe(1);
});

test("waits for the integration while Home Assistant starts", async () => {
  const card = make();
  card.hass = server.hass({ config: { components: [] } });
  card.setConfig({ type: "custom:snom-phone-card", device_id: "device" });
  expect(await shown(card)).toBe("Waiting for the phone…");
  expect(server.commands).toEqual([]);
  server.refuses = "unknown_command"; // of before the restart
  card.hass = server.hass();
  expect(await shown(card)).toBe("Waiting for the phone…");
  server.refuses = "";
  card.hass = server.hass();
  await drawn(card);
  server.send({ phone: FACE });
  expect(await shown(card)).toBe("Kitchen; Garage; Key 2");
});

test("takes markup in a label as text", async () => {
  const card = make("device");
  const label = "<img src=x onerror=alert(1)>";
  server.send({
    phone: {
      ...FACE,
      name: label,
      model: label,
      keys: [keyFace("1", { label, caller: label, held_by: label })],
    },
  });
  expect(await shown(card)).toBe(`${label}; ${label}`);
  expect(viewOf(card)?.shadowRoot?.querySelector("img")).toBeNull();
});

const fire = (card: PhoneCard, type: string, detail: string): void => {
  viewOf(card)?.dispatchEvent(new CustomEvent(type, { detail }));
};

test("presses a key, and shows an error in the words of Home Assistant", async () => {
  const card = make("device");
  server.send({ phone: FACE });
  await drawn(card);
  const alert = (): string | undefined =>
    card.shadowRoot?.querySelector("[role=alert]")?.textContent;
  fire(card, "key-press", "1");
  expect(server.calls).toEqual([
    [
      "snom_buttons",
      "press_key",
      { device_id: "device", key: "1" },
      undefined,
      false,
    ],
  ]);
  await drawn(card);
  expect(alert()).toBeUndefined();
  const error = { code: "x", message: "Plain" };
  const answers: [object, string][] = [
    [error, "Plain"],
    [
      {
        ...error,
        translation_domain: "snom_buttons",
        translation_key: "known",
        translation_placeholders: { key: "1" },
      },
      "Refused: 1",
    ],
    [
      { ...error, translation_domain: "other", translation_key: "unknown" },
      "Plain",
    ],
    [new Error("Lost"), "Lost"],
  ];
  for (const [answer, said] of answers) {
    server.answer = () => Promise.reject(answer as Error);
    fire(card, "key-press", "1");
    // eslint-disable-next-line no-await-in-loop -- one press after the other
    await drawn(card);
    expect(alert()).toBe(said);
  }
  expect(await violations(card)).toEqual([]);
  server.answer = () => Promise.resolve();
  fire(card, "key-press", "1");
  await drawn(card);
  expect(alert()).toBeUndefined();
});

test("a held key opens the dialogue of its entity, if it has one", async () => {
  const card = make("device");
  const entity_id = "light.hall";
  server.send({
    phone: { ...FACE, keys: [keyFace("1", { entity_id }), keyFace("2")] },
  });
  await drawn(card);
  const opened: unknown[] = [];
  document.body.addEventListener("hass-more-info", (event) => {
    opened.push((event as CustomEvent).detail);
  });
  fire(card, "key-hold", "1");
  fire(card, "key-hold", "2");
  expect(opened).toEqual([{ entityId: "light.hall" }]);
});

test("is drawn again only for what it shows of Home Assistant", async () => {
  const card = make("device");
  server.send({ phone: FACE });
  await drawn(card);
  const hass = server.hass();
  card.hass = hass;
  await drawn(card);
  let draws = 0;
  const { render } = card as unknown as { render: () => unknown };
  Object.assign(card, {
    render: () => {
      draws += 1;
      return render.call(card);
    },
  });
  card.hass = { ...hass };
  await drawn(card);
  expect(draws).toBe(0);
  card.hass = { ...hass, language: "de" };
  await drawn(card);
  expect(draws).toBe(1);
});

test("its size follows the rows of the phone", async () => {
  const card = make("device");
  expect(card.getCardSize()).toBe(6);
  server.send({ phone: FACE });
  await drawn(card);
  expect(card.getCardSize()).toBe(8);
});
