// Written by script/card_types.py from custom_components/snom_buttons/hub/face.py.

/**
 * Of the phone: it has taken what its keys should show, has not yet, refuses it; it is
 * registered and does not answer; it is not registered.
 */
export type Status = "in_sync" | "behind" | "refusing" | "silent" | "absent";

/** Of a lamp. The half periods of those that blink: 1 s, 0.5 s and 0.25 s. */
export type Pattern = "dark" | "steady" | "slow" | "medium" | "fast";

export type Kind = "light" | "switch" | "linked" | "shared" | "none";

/** Labels on paper, labels on a display, and a phone whose layout is not known. */
export type GroupKind = "paper" | "screen" | "generic";

/** What the user may do who sees the face. */
export interface May {
  press: boolean;
  arrange: boolean;
}

/** The waiting messages that the message lamp shows. */
export interface Messages {
  new: number;
  old: number;
}

/**
 * The keys of the phone itself, or of an expansion module, as they are arranged.
 *
 * Row by row, page by page: position n is in column n % columns.
 */
export interface KeyGroup {
  kind: GroupKind;
  /** The model of the module; null for the phone itself. */
  module: string | null;
  columns: number;
  /** Of one page. */
  rows: number;
  /**
   * The name of the key at each position, in `keys` if the key is set up; "" for a
   * position that is not a key of Home Assistant.
   */
  keys: string[];
}

/** A key. */
export interface KeyFace {
  key: string;
  kind: Kind;
  /** The user's name of the key. */
  title: string;
  /** What the phone shows beside the key. */
  label: string;
  /** Who calls. */
  caller: string;
  /** The messages that the key shows, as `new/old`; "" for none. */
  waiting: string;
  /** The light mode, such as `hold`. */
  light: string;
  pattern: Pattern;
  /** The colour of the lamp, `#rrggbb`; while it is dark, the one that it would have. */
  color: string;
  /**
   * Of a shared line: the name of the phone that holds it, "" for Home Assistant; null
   * if it is free.
   */
  held_by: string | null;
  /** Whether the phone has not taken what the key should show. */
  lacking: boolean;
  /** Whether a second press acts. */
  confirming: boolean;
  pressable: boolean;
  /** The entity that the key follows, else its event. */
  entity_id: string | null;
}

/** A phone. */
export interface PhoneFace {
  name: string;
  maker: string;
  /** Empty if it is not known. */
  model: string;
  /** The version of the card that Home Assistant serves. */
  card: string;
  may: May;
  status: Status;
  /** Null if the phone has not subscribed to its message lamp. */
  messages: Messages | null;
  groups: KeyGroup[];
  keys: KeyFace[];
}

/** What has changed of a face, and nothing else. */
export interface Changes {
  status?: Status;
  messages?: Messages | null;
  /** The keys that have changed, whole. */
  keys?: KeyFace[];
}

/** The whole face: the first message, and after a change of settings. */
export interface PhoneMessage {
  phone: PhoneFace;
}

/** A change of the face that was sent before. */
export interface ChangesMessage {
  changes: Changes;
}

/** There is no face, until another whole one; there will be none once it is removed. */
export interface GoneMessage {
  gone: "removed" | "stopped" | "unauthorized";
}

/** What a key with other settings would be. */
export interface KeyPreview {
  face: KeyFace;
  /** What the key follows and what its press does; "" for one that is not linked. */
  text: string;
}

export type FaceMessage = PhoneMessage | ChangesMessage | GoneMessage;
