/** What a key and a phone show, in words. */
import type { KeyFace } from "./face";
import { text, type TextKey } from "./texts";

type ColorKey = Extract<TextKey, `color.${string}`>;

/** The hues in degrees up to which a colour has its name. */
const HUES: [number, ColorKey][] = [
  [15, "color.red"],
  [45, "color.orange"],
  [70, "color.yellow"],
  [165, "color.green"],
  [195, "color.turquoise"],
  [255, "color.blue"],
  [290, "color.violet"],
  [345, "color.pink"],
  [360, "color.red"],
];

/** Below this saturation, of 1, a colour is white. */
const LEAST_SATURATION = 0.2;

/** Return the name of a colour `#rrggbb`. */
export const colorName = (color: string): ColorKey => {
  const [red, green, blue] = [1, 3, 5].map(
    (at) => parseInt(color.slice(at, at + 2), 16) / 255
  ) as [number, number, number];
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (!(range > LEAST_SATURATION * most)) return "color.white";
  let sixth = (red - green) / range + 4;
  if (most === red) sixth = (green - blue) / range;
  else if (most === green) sixth = (blue - red) / range + 2;
  const hue = (sixth * 60 + 360) % 360;
  return HUES.find(([end]) => hue <= end)?.[1] ?? "color.red";
};

/** Return what a lamp shows. */
export const lampWords = (
  language: string | undefined,
  { pattern, color }: KeyFace
): string =>
  text(language, `lamp.${pattern}`, {
    color: text(language, colorName(color)),
  });

/** Return the name beside a key; the user's own if the phone shows none. */
export const labelOf = (language: string | undefined, key: KeyFace): string =>
  key.label || key.title || text(language, "key.name", { key: key.key });

/** Return what a key shows below its label, the most urgent first; none if nothing. */
export const newsOf = (
  language: string | undefined,
  key: KeyFace
): string[] => {
  const news: string[] = [];
  if (key.confirming) news.push(text(language, "key.confirming"));
  const { caller } = key;
  if (caller) news.push(text(language, "key.caller", { caller }));
  if (key.held_by !== null) {
    const phone = key.held_by || "Home Assistant";
    news.push(text(language, "key.held", { phone }));
  }
  if (key.lacking) news.push(text(language, "key.lacking"));
  return news;
};

/** Return what is said of waiting messages `new/old`. */
export const waitingWords = (
  language: string | undefined,
  waiting: string
): string => {
  const [fresh = "0", old = "0"] = waiting.split("/");
  return text(language, "key.waiting", { new: fresh, old });
};

/** Return all that a key shows, for who cannot see it. */
export const keyWords = (
  language: string | undefined,
  key: KeyFace,
  pressable: boolean
): string => {
  const words = [labelOf(language, key)];
  const name = text(language, "key.name", { key: key.key });
  if (!words.includes(name)) words.unshift(name);
  words.push(lampWords(language, key), ...newsOf(language, key));
  if (key.waiting) words.push(waitingWords(language, key.waiting));
  if (!pressable) words.push(text(language, "key.not_pressable"));
  return words.join(", ");
};

/** Return what a key is called while keys are arranged. */
export const arrangeWords = (
  language: string | undefined,
  key: KeyFace
): string =>
  text(language, "arrange.key", {
    key: key.key,
    name: labelOf(language, key),
  });
