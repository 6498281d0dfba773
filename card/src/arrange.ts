// Written by script/card_types.py from custom_components/snom_buttons/flows/arrange.py.

/** A field of the form of a key, for Home Assistant's element `ha-form`. */
export interface FormField {
  name: string;
  label: string;
  help: string;
  /** The kind of key that alone has it; null for all kinds. */
  kind: "switch" | "linked" | null;
  required: boolean;
  selector: Record<string, unknown>;
}

/** The settings of a key. */
export interface KeyValues {
  key: string;
  /**
   * The values of the form, with defaults, without a code. A name that is empty is that
   * of the entity, or of the key.
   */
  settings: Record<string, unknown>;
  /** Whether a code is stored. */
  has_code: boolean;
  /** The shared line to which the key belongs: it cannot be arranged. */
  line: string | null;
}

/** All that is needed to arrange the keys of a phone. */
export interface KeyForm {
  form: FormField[];
  keys: KeyValues[];
}

/** What is wrong with the settings of a key. */
export interface KeyFault {
  /** The field of the form; null if it is one of another key. */
  field: string | null;
  /** The error of the dialogue. */
  error: string;
  text: string;
}

/** The answer to settings that are refused; then nothing has changed. */
export interface FaultMessage {
  fault: KeyFault;
}
