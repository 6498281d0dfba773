import type { KeyFace, Pattern, PhoneFace } from "./face";
import { text, type TextKey } from "./texts";

const KEYS: [TextKey, Pattern, string][] = [
  ["example.light", "steady", "#ffc400"],
  ["example.door", "steady", "#ff2a1f"],
  ["example.garage", "slow", "#ffc400"],
  ["example.heating", "dark", "#00c853"],
  ["example.music", "steady", "#00c853"],
  ["example.alarm", "dark", "#ff2a1f"],
  ["example.mail", "fast", "#ff2a1f"],
  ["example.night", "dark", "#00c853"],
];

/** Return a phone that does not exist, for a card that has none yet. */
export const exampleFace = (language: string | undefined): PhoneFace => ({
  name: text(language, "example.name"),
  maker: "",
  model: "",
  card: "",
  may: { press: true, arrange: false },
  status: "in_sync",
  messages: null,
  groups: [
    {
      kind: "screen",
      module: null,
      columns: 2,
      rows: 4,
      keys: KEYS.map((_, at) => `${at + 1}`),
    },
  ],
  keys: KEYS.map(([label, pattern, color], at): KeyFace => ({
    key: `${at + 1}`,
    kind: "light",
    title: "",
    label: text(language, label),
    caller: "",
    waiting: "",
    light: pattern === "dark" ? "off" : "on",
    pattern,
    color,
    held_by: null,
    lacking: false,
    confirming: false,
    pressable: false,
    entity_id: null,
  })),
});
