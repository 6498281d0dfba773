import { afterEach, expect, test } from "vitest";
import { loadForm } from "../src/ha-form";

afterEach(() => {
  delete window.loadCardHelpers;
});

test("a page without Home Assistant's cards has no form", async () => {
  await expect(loadForm()).rejects.toThrow("no ha-form");
});

test("the editor of a card brings the form", async () => {
  let loaded = 0;
  class Entities extends HTMLElement {
    static getConfigElement(): Promise<HTMLElement> {
      loaded += 1;
      customElements.define("ha-form", class extends HTMLElement {});
      return Promise.resolve(document.createElement("ha-form"));
    }
  }
  customElements.define("hui-entities-card", Entities);
  const made: unknown[] = [];
  window.loadCardHelpers = () =>
    Promise.resolve({
      createCardElement: (config) => {
        made.push(config);
        return document.createElement("hui-entities-card");
      },
    });
  await loadForm();
  await loadForm(); // it is there
  expect(loaded).toBe(1);
  expect(made).toEqual([{ type: "entities", entities: [] }]);
});
