import { expect, test, vi } from "vitest";
import "../src/main";
import type { FaceMessage } from "../src/face";

vi.mock("../src/version", () => ({ VERSION: "old" }));

const FACE = {
  name: "Kitchen",
  maker: "",
  model: "",
  may: { press: true, arrange: false },
  status: "in_sync",
  messages: null,
  groups: [],
  keys: [],
} as const;

test.each([
  ["old", false],
  ["new", true],
])("with a server of version %s", async (version, says) => {
  const card = document.createElement("snom-phone-card");
  let send: ((message: FaceMessage) => void) | undefined;
  card.setConfig({ type: "custom:snom-phone-card", device_id: "device" });
  card.hass = {
    language: "en",
    devices: {},
    connection: {
      subscribeMessage: (listener) => {
        send = listener as unknown as typeof send;
        return Promise.resolve(() => Promise.resolve());
      },
    },
  };
  document.body.append(card);
  await card.updateComplete;
  const { groups, keys, ...others } = FACE;
  send?.({
    phone: { ...others, groups: [...groups], keys: [...keys], card: version },
  });
  await card.updateComplete;
  const alert = card.shadowRoot?.querySelector("[role=alert]");
  expect(alert?.textContent.includes("Reload the page") ?? false).toBe(says);
});
