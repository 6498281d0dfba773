import { expect, test } from "vitest";
import "../src/main";
import type { CardConfig } from "../src/config";
import de from "../src/texts/de.json";
import { Server, device, drawn, violations } from "./support";

const DEVICES = [
  device("10", "Phone 10"),
  device("9", "Phone 9"),
  device("hall", "Phone 8", { name_by_user: "Hall" }),
  device("server", "Server", { entry_type: "service" }),
  device("off", "Disabled", { disabled_by: "user" }),
  device("lamp", "Lamp", { identifiers: [["hue", "lamp"]] }),
];

const HASS = new Server().hass({
  language: "de-CH",
  devices: Object.fromEntries(DEVICES.map((it) => [it.id, it])),
});

/** Return the devices of the cards on the page, and its text. */
const shown = async (
  path: string,
  hass = HASS
): Promise<[(string | undefined)[], string]> => {
  const panel = document.createElement("snom-phones-panel");
  panel.hass = hass;
  panel.route = { prefix: "/snom-phones", path };
  document.body.replaceChildren(panel);
  await drawn(panel);
  expect(await violations(panel)).toEqual([]);
  const root = panel.shadowRoot;
  const cards = [...(root?.querySelectorAll("snom-phone-card") ?? [])];
  const said = root?.querySelector("main")?.textContent ?? "";
  return [
    cards.map(
      (card) => (card as unknown as { _config: CardConfig })._config.device_id
    ),
    said.trim(),
  ];
};

test("shows all phones by name, and nothing that is no phone", async () => {
  expect(await shown("")).toEqual([["hall", "9", "10"], ""]);
});

test("shows the phone of its path", async () => {
  expect((await shown("/9"))[0]).toEqual(["9"]);
  expect((await shown("/9/"))[0]).toEqual(["9"]);
});

test("says that there is no phone, in the user's language", async () => {
  expect(await shown("", { ...HASS, devices: {} })).toEqual([
    [],
    de["panel.empty"],
  ]);
});

test("draws no card again for the states of the house", async () => {
  await shown("");
  const panel = document.querySelector("snom-phones-panel");
  const card = panel?.shadowRoot?.querySelector("snom-phone-card");
  if (!panel || !card) throw new Error("no card");
  const { render } = card as unknown as { render: () => unknown };
  let draws = 0;
  Object.assign(card, {
    render: () => {
      draws += 1;
      return render.call(card);
    },
  });
  panel.hass = { ...HASS };
  await drawn(panel);
  expect(draws).toBe(0);
  panel.hass = { ...HASS, language: "en" };
  await drawn(panel);
  expect(draws).toBe(1);
});
