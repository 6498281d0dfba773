import { afterEach, expect, test } from "vitest";
import "../src/main";
import { assertConfig, type CardConfig } from "../src/config";
import { exampleFace } from "../src/example";
import type { Entity, HomeAssistant } from "../src/hass";
import { PhoneCard } from "../src/phone-card";
import { PhonesStrategy } from "../src/strategy";
import de from "../src/texts/de.json";
import { FACE, Server, device, drawn } from "./support";

const CARD = "custom:snom-phone-card";

const entity = (
  entity_id: string,
  device_id: string,
  others?: Partial<Entity>
): [string, Entity] => [
  entity_id,
  { entity_id, device_id, platform: "snom_buttons", ...others },
];

const DEVICES = [
  device("10", "Phone 10"),
  device("9", "Phone 9"),
  device("server", "Server", { entry_type: "service", via_device_id: null }),
  device("line", "Line", { entry_type: "service" }),
  device("disabled", "Disabled", { disabled_by: "user" }),
  device("lamp", "Lamp", { identifiers: [["hue", "lamp"]] }),
];

const HASS: HomeAssistant = new Server().hass({
  devices: Object.fromEntries(DEVICES.map((it) => [it.id, it])),
  entities: Object.fromEntries([
    entity("light.phone_9_garage", "9"),
    entity("event.line_use", "line"),
    entity("switch.line", "line"),
    entity("event.line_hidden", "line", { hidden: true }),
    entity("sensor.server_traffic", "server"),
    entity("button.of_others_at_9", "9", { platform: "template" }),
    entity("light.lamp", "lamp", { platform: "hue" }),
  ]),
});

const EMPTY = new Server().hass();

afterEach(() => {
  document.documentElement.lang = "";
  document.body.replaceChildren();
});

test("offers the card and the dashboard once, in the language of the page", () => {
  expect(window.customCards).toMatchObject([
    { type: "snom-phone-card", name: "Desk phone", preview: true },
  ]);
  expect(window.customStrategies).toMatchObject([
    { type: "snom-phones", strategyType: "dashboard", name: "Phones" },
  ]);
  document.documentElement.lang = "de";
  expect(window.customCards).toMatchObject([
    { name: de["card.name"], description: de["card.description"] },
  ]);
  expect(window.customStrategies).toMatchObject([
    { name: de["panel.title"], description: de["strategy.description"] },
  ]);
});

test("a new card shows the first phone, if there is one", () => {
  expect(PhoneCard.getStubConfig(HASS)).toEqual({ device_id: "9" });
  expect(PhoneCard.getStubConfig(EMPTY)).toEqual({});
});

test.each([
  ["light.phone_9_garage", "9"],
  ["sensor.server_traffic", undefined],
  ["switch.line", undefined],
  ["button.of_others_at_9", undefined],
  ["light.lamp", undefined],
  ["light.unknown", undefined],
])("for %s it suggests the phone %s", (entity_id, device_id) => {
  const suggest = window.customCards?.[0]?.getEntitySuggestion;
  expect(suggest?.(HASS, entity_id)).toEqual(
    device_id ? { config: { type: CARD, device_id } } : null
  );
});

test.each([
  ["en", ["Phone", "Show the name"]],
  ["de", ["Telefon", "Namen zeigen"]],
])("its form has labels in %s", (language, labels) => {
  document.documentElement.lang = language;
  const { schema, computeLabel, computeHelper } = PhoneCard.getConfigForm();
  expect(schema.map(computeLabel)).toEqual(labels);
  expect(schema.map((field) => !!computeHelper(field))).toEqual([false, true]);
});

test.each([
  [{ type: CARD }, true],
  [{ type: CARD, device_id: "9", show_name: false, view_layout: {} }, true],
  [{ type: CARD, device_id: 9 }, false],
  [{ type: CARD, show_name: "no" }, false],
])("takes the configuration %j: %s", (config, valid) => {
  const card = document.createElement("snom-phone-card");
  for (const use of [assertConfig, card.setConfig.bind(card)]) {
    const act = expect(() => {
      use(config as CardConfig);
    });
    if (valid) act.not.toThrow();
    else act.toThrow(/must be/);
  }
});

test.each([
  [undefined, "Kitchen"],
  [true, "Kitchen"],
  [false, "snom D735"],
])("with show_name %s its display shows %s", async (show_name, shown) => {
  const server = new Server();
  const card = document.createElement("snom-phone-card");
  const config: CardConfig = { type: CARD, device_id: "9" };
  card.setConfig(show_name === undefined ? config : { ...config, show_name });
  card.hass = server.hass();
  document.body.append(card);
  server.send({ phone: FACE });
  await drawn(card);
  const view = card.shadowRoot?.querySelector("snom-phone-face");
  const name = view?.shadowRoot?.querySelector("h2");
  expect(name?.textContent).toBe(shown);
});

test("is at least half a section wide", () => {
  const card = document.createElement("snom-phone-card");
  expect(card.getGridOptions()).toEqual({ columns: 12, min_columns: 6 });
});

test("the dashboard has a section for each phone, and one for the lines", async () => {
  const { views } = await PhonesStrategy.generate({}, HASS);
  expect(views.length).toBe(1);
  expect(views[0]?.sections).toEqual([
    { type: "grid", cards: [{ type: CARD, device_id: "9" }] },
    { type: "grid", cards: [{ type: CARD, device_id: "10" }] },
    {
      type: "grid",
      cards: [
        {
          type: "entities",
          title: "Shared lines",
          entities: ["switch.line", "event.line_use"],
        },
      ],
    },
  ]);
});

test("the dashboard says that there is no phone", async () => {
  const { views } = await PhonesStrategy.generate({}, EMPTY);
  expect(views[0]?.sections).toMatchObject([{ cards: [{ type: "markdown" }] }]);
});

test("the dashboard has a name at first", () => {
  expect(
    PhonesStrategy.getCreateSuggestions({ ...EMPTY, language: "de" })
  ).toEqual({ title: "Telefone", icon: "mdi:deskphone" });
});

test("the example is a phone whose keys are all in their places", () => {
  const { keys, groups } = exampleFace("de");
  expect(groups.flatMap((group) => group.keys)).toEqual(
    keys.map(({ key }) => key)
  );
  expect(keys.some(({ pressable }) => pressable)).toBe(false);
});
