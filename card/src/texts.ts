import de from "./texts/de.json";
import en from "./texts/en.json";

export type TextKey = keyof typeof en;

const TEXTS: Record<string, Partial<Record<TextKey, string>>> = { de, en };

/**
 * Return a text in a language, such as `de` or `de-CH`; in English if there is none.
 * `values` are put where the text has their names in braces.
 */
export const text = (
  language: string | undefined,
  key: TextKey,
  values: Record<string, string | number> = {}
): string => {
  const [primary = ""] = (language ?? "").split("-");
  const found = TEXTS[primary]?.[key] ?? en[key];
  return found.replaceAll(/\{(\w+)\}/g, (all, name: string) =>
    String(values[name] ?? all)
  );
};
