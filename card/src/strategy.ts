/** The dashboard of all phones and shared lines, which follows what is set up. */
import { CARD, type CardConfig } from "./config";
import { entitiesOf, linesOf, phonesOf, type HomeAssistant } from "./hass";
import { text } from "./texts";

/** The type in a dashboard's configuration, after `custom:`. */
export const STRATEGY = "snom-phones";

const ICON = "mdi:deskphone";

type Card =
  | CardConfig
  | { type: "entities"; title: string; entities: string[] }
  | { type: "markdown"; content: string };

interface Section {
  type: "grid";
  cards: Card[];
}

interface Dashboard {
  views: {
    type: "sections";
    title: string;
    icon: string;
    dense_section_placement: boolean;
    sections: Section[];
  }[];
}

const section = (card: Card): Section => ({ type: "grid", cards: [card] });

/** Home Assistant wants an element, but asks only its class. */
export class PhonesStrategy extends HTMLElement {
  /** There is nothing to configure. */
  static noEditor = true;

  /** A change of these makes the dashboard anew. */
  static registryDependencies = ["devices", "entities"] as const;

  /** Return what a new dashboard is called at first. */
  static getCreateSuggestions(hass: HomeAssistant): {
    title: string;
    icon: string;
  } {
    return { title: text(hass.language, "panel.title"), icon: ICON };
  }

  /** Return one view: a section for each phone, and one for the shared lines. */
  static generate(_config: unknown, hass: HomeAssistant): Promise<Dashboard> {
    const { language } = hass;
    const sections = phonesOf(hass).map(({ id }) =>
      section({ type: `custom:${CARD}`, device_id: id })
    );
    const entities = linesOf(hass).flatMap(({ id }) => entitiesOf(hass, id));
    if (entities.length) {
      const title = text(language, "strategy.lines");
      sections.push(section({ type: "entities", title, entities }));
    }
    if (!sections.length) {
      const content = text(language, "strategy.empty");
      sections.push(section({ type: "markdown", content }));
    }
    return Promise.resolve({
      views: [
        {
          type: "sections",
          title: text(language, "panel.title"),
          icon: ICON,
          dense_section_placement: true,
          sections,
        },
      ],
    });
  }
}
