/** The version of this card, which its URL has; empty if it has none. */
export const VERSION = new URL(import.meta.url).searchParams.get("v") ?? "";
