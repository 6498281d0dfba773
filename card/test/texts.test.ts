import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { text } from "../src/texts";
import de from "../src/texts/de.json";
import en from "../src/texts/en.json";

/** The ends of the keys that the source writes as `` `START${…}` ``. */
const COMPUTED: Record<string, string[]> = {
  "editor.": ["device_id", "show_name"],
  "lamp.": ["dark", "fast", "medium", "slow", "steady"],
  "status.": ["absent", "behind", "in_sync", "refusing", "silent"],
};

const code = readdirSync("src")
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(`src/${name}`, "utf8"))
  .join("\n");

const placeholders = (said: string): string[] =>
  (said.match(/\{\w+\}/g) ?? []).sort();

test("German has the keys of English in the same order, with their placeholders", () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  expect(Object.values(de).map(placeholders)).toEqual(
    Object.values(en).map(placeholders)
  );
});

test("no text is empty or the same as its key", () => {
  for (const texts of [de, en]) {
    for (const [key, said] of Object.entries(texts)) {
      expect(said.trim() || key).not.toBe(key);
    }
  }
});

test("the source uses all texts", () => {
  const used = new Set(
    code.match(/"[a-z]+\.\w+"/g)?.map((it) => it.slice(1, -1))
  );
  for (const [start, ends] of Object.entries(COMPUTED)) {
    expect(code).toContain(`\`${start}\${`);
    for (const end of ends) used.add(start + end);
  }
  expect(Object.keys(en).filter((key) => !used.has(key))).toEqual([]);
});

test.each([
  ["de-CH", de["panel.title"]],
  ["fr", en["panel.title"]],
  ["", en["panel.title"]],
  [undefined, en["panel.title"]],
])("in the language %s it says %s", (language, said) => {
  expect(text(language, "panel.title")).toBe(said);
});
