/** How a card is configured, and how Home Assistant's editors offer it. */
import { DOMAIN, phonesOf, type HomeAssistant } from "./hass";
import { text, type TextKey } from "./texts";

export const CARD = "snom-phone-card";

export interface CardConfig {
  type: string;
  device_id?: string;
  /** Whether the name of the phone is shown; it is unless this is false. */
  show_name?: boolean;
}

interface Field {
  name: "device_id" | "show_name";
  selector: Record<string, unknown>;
  required?: boolean;
  default?: boolean;
}

interface ConfigForm {
  schema: Field[];
  computeLabel: (field: Field) => string;
  computeHelper: (field: Field) => string | undefined;
  assertConfig: (config: object) => void;
}

const SCHEMA: Field[] = [
  {
    name: "device_id",
    required: true,
    // The filter cannot exclude services: servers and shared lines have no such entities.
    selector: {
      device: {
        entity: { integration: DOMAIN, domain: ["binary_sensor", "button"] },
      },
    },
  },
  { name: "show_name", default: true, selector: { boolean: {} } },
];

const HELP: Partial<Record<Field["name"], TextKey>> = {
  show_name: "editor.show_name_help",
};

/** Return the language of the page, for what Home Assistant asks without `hass`. */
export const pageLanguage = (): string => document.documentElement.lang;

/** Return the configuration of a new card, with the first phone if there is one. */
export const stubConfig = (hass: HomeAssistant): Omit<CardConfig, "type"> => {
  const [phone] = phonesOf(hass);
  return phone ? { device_id: phone.id } : {};
};

/** Return the form that edits a card. */
export const configForm = (): ConfigForm => ({
  schema: SCHEMA,
  computeLabel: ({ name }) => text(pageLanguage(), `editor.${name}`),
  computeHelper: ({ name }) => {
    const help = HELP[name];
    return help && text(pageLanguage(), help);
  },
  assertConfig,
});

/** Throw an error if the types of a configuration are wrong. */
export const assertConfig = (config: object): void => {
  const { device_id, show_name } = config as Record<keyof CardConfig, unknown>;
  if (device_id !== undefined && typeof device_id !== "string") {
    throw new Error(text(pageLanguage(), "editor.no_text"));
  }
  if (show_name !== undefined && typeof show_name !== "boolean") {
    throw new Error(text(pageLanguage(), "editor.no_boolean"));
  }
};

/** Return the card of the phone that an entity belongs to; null for other entities. */
export const suggestionOf = (
  hass: HomeAssistant,
  entity_id: string
): { config: CardConfig } | null => {
  const entity = hass.entities[entity_id];
  if (entity?.platform !== DOMAIN) return null;
  const phone = phonesOf(hass).find(({ id }) => id === entity.device_id);
  return phone
    ? { config: { type: `custom:${CARD}`, device_id: phone.id } }
    : null;
};
