import { expect, test, vi } from "vitest";
import "../src/main";
import { FACE, Server, drawn } from "./support";

vi.mock("../src/version", () => ({ VERSION: "old" }));

test.each([
  ["old", false],
  ["new", true],
])("with a server of version %s", async (version, says) => {
  const server = new Server();
  const card = document.createElement("snom-phone-card");
  card.setConfig({ type: "custom:snom-phone-card", device_id: "device" });
  card.hass = server.hass();
  document.body.append(card);
  server.send({ phone: { ...FACE, card: version } });
  await drawn(card);
  const bar = card.shadowRoot?.querySelector("[role=alert]");
  expect(bar?.textContent.includes("another version") ?? false).toBe(says);
  const reload = vi.spyOn(location, "reload").mockReturnValue();
  bar?.querySelector("button")?.click();
  expect(reload.mock.calls.length).toBe(says ? 1 : 0);
  reload.mockRestore();
});
