import { PANEL, PhonesPanel } from "./panel";
import { CARD, PhoneCard } from "./phone-card";
import { text } from "./texts";

interface CustomCard {
  type: string;
  name: string;
  description: string;
  preview: boolean;
  documentationURL: string;
}

declare global {
  interface Window {
    customCards?: CustomCard[];
  }
}

/** Define an element, unless another version of this module already has. */
const define = (tag: string, element: CustomElementConstructor): boolean => {
  if (customElements.get(tag)) return false;
  customElements.define(tag, element);
  return true;
};

define(PANEL, PhonesPanel);
if (define(CARD, PhoneCard)) {
  const language = document.documentElement.lang;
  (window.customCards ??= []).push({
    type: CARD,
    name: text(language, "card.name"),
    description: text(language, "card.description"),
    preview: true,
    documentationURL: "https://github.com/snom-buttons/snom_buttons",
  });
}
