/** Home Assistant's form, which its frontend loads when it is needed first. */

interface CardHelpers {
  createCardElement: (config: {
    type: string;
    [option: string]: unknown;
  }) => HTMLElement;
}

declare global {
  interface Window {
    loadCardHelpers?: () => Promise<CardHelpers>;
  }
}

/** Load `ha-form`. The editor of a card has it, and so it comes with that. */
export const loadForm = async (): Promise<void> => {
  if (customElements.get("ha-form")) return;
  const helpers = await window.loadCardHelpers?.();
  const card = helpers?.createCardElement({ type: "entities", entities: [] });
  const type = card?.constructor as
    { getConfigElement?: () => Promise<HTMLElement> } | undefined;
  await type?.getConfigElement?.();
  if (!customElements.get("ha-form")) throw new Error("no ha-form");
};
