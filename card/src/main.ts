import { CARD, pageLanguage, suggestionOf } from "./config";
import { FaceView, VIEW } from "./face-view";
import { EDITOR, KeyEditor } from "./key-editor";
import { PANEL, PhonesPanel } from "./panel";
import { PhoneCard } from "./phone-card";
import { PhonesStrategy, STRATEGY } from "./strategy";
import { text } from "./texts";

const DOCUMENTATION =
  "https://github.com/snom-buttons/snom_buttons/blob/main/docs/card.md";

/** What Home Assistant offers in its list of cards. */
interface CustomCard {
  type: string;
  readonly name: string;
  readonly description: string;
  preview: boolean;
  documentationURL: string;
  getEntitySuggestion: typeof suggestionOf;
}

/** What Home Assistant offers as a new dashboard. */
interface CustomStrategy {
  type: string;
  strategyType: "dashboard";
  readonly name: string;
  readonly description: string;
  documentationURL: string;
}

declare global {
  interface Window {
    customCards?: CustomCard[];
    customStrategies?: CustomStrategy[];
  }
}

/** Define an element, unless another version of this module already has. */
const define = (tag: string, element: CustomElementConstructor): boolean => {
  if (customElements.get(tag)) return false;
  customElements.define(tag, element);
  return true;
};

define(VIEW, FaceView);
define(EDITOR, KeyEditor);
define(PANEL, PhonesPanel);
// The language of the page is set after this module is loaded, so names are getters.
if (define(CARD, PhoneCard)) {
  (window.customCards ??= []).push({
    type: CARD,
    get name() {
      return text(pageLanguage(), "card.name");
    },
    get description() {
      return text(pageLanguage(), "card.description");
    },
    preview: true,
    documentationURL: DOCUMENTATION,
    getEntitySuggestion: suggestionOf,
  });
}
if (define(`ll-strategy-dashboard-${STRATEGY}`, PhonesStrategy)) {
  (window.customStrategies ??= []).push({
    type: STRATEGY,
    strategyType: "dashboard",
    get name() {
      return text(pageLanguage(), "panel.title");
    },
    get description() {
      return text(pageLanguage(), "strategy.description");
    },
    documentationURL: DOCUMENTATION,
  });
}
