import de from "./texts/de.json";
import en from "./texts/en.json";

export type TextKey = keyof typeof en;

const TEXTS: Record<string, Partial<Record<TextKey, string>>> = { de, en };

/** Return a text in a language, such as `de` or `de-CH`; in English if there is none. */
export const text = (language: string | undefined, key: TextKey): string => {
  const [primary = ""] = (language ?? "").split("-");
  return TEXTS[primary]?.[key] ?? en[key];
};
