import axe from "axe-core";
import type { FaceMessage, KeyFace, PhoneFace } from "../src/face";
import type { ConnectionEvent, Device, HomeAssistant } from "../src/hass";

export const keyFace = (
  key: string,
  changes: Partial<KeyFace> = {}
): KeyFace => ({
  key,
  kind: "light",
  title: `Key ${key}`,
  label: "",
  caller: "",
  waiting: "",
  light: "off",
  pattern: "dark",
  color: "#00ff00",
  held_by: null,
  lacking: false,
  confirming: false,
  pressable: true,
  entity_id: null,
  ...changes,
});

export const FACE: PhoneFace = {
  name: "Kitchen",
  maker: "snom",
  model: "D735",
  card: "",
  may: { press: true, arrange: false },
  status: "in_sync",
  messages: null,
  groups: [
    {
      kind: "screen",
      module: null,
      columns: 2,
      rows: 4,
      keys: ["1", "5", "2", "6", "3", "7", "4", "8"],
    },
  ],
  keys: [keyFace("1", { label: "Garage" }), keyFace("2")],
};

/** Return a device of ours; a phone unless `others` say otherwise. */
export const device = (
  id: string,
  name: string,
  others?: Partial<Device>
): Device => ({
  id,
  name,
  name_by_user: null,
  entry_type: null,
  via_device_id: "server",
  disabled_by: null,
  identifiers: [["snom_buttons", id]],
  ...others,
});

/** The server's side of the subscriptions of cards. */
export class Server {
  /** The commands that it got. */
  readonly commands: unknown[] = [];

  /** How many subscriptions have ended. */
  ended = 0;

  /** The code of the error with which it refuses subscriptions; none if it does not. */
  refuses = "";

  /** Services that were called. */
  readonly calls: unknown[] = [];

  /** Answers a call. */
  answer = (): Promise<unknown> => Promise.resolve();

  /** Answers a command about no key in place of `reply`; undefined if it does not. */
  form: unknown;

  /** Commands that ask for an answer. */
  readonly asked: Record<string, unknown>[] = [];

  /** Answers a command. */
  reply = (_: Record<string, unknown>): Promise<unknown> =>
    Promise.resolve(null);

  /** The listeners of events of the connection. */
  readonly listeners: Record<ConnectionEvent, (() => void)[]> = {
    disconnected: [],
    ready: [],
  };

  /** Sends a message to the newest subscription. */
  send!: (message: FaceMessage) => void;

  /** Fire an event as the connection of Home Assistant's frontend does. */
  fire(event: ConnectionEvent): void {
    this.listeners[event].forEach((listener) => {
      listener();
    });
  }

  /** Return Home Assistant as the card sees it. */
  hass(changes: Partial<HomeAssistant> = {}): HomeAssistant {
    return {
      language: "en",
      devices: {},
      entities: {},
      config: { components: ["snom_buttons"] },
      callService: (...call) => {
        this.calls.push(call);
        return this.answer();
      },
      loadBackendTranslation: () =>
        Promise.resolve((key, values) =>
          key.endsWith(".known.message")
            ? `Refused: ${values?.["key"] ?? ""}`
            : ""
        ),
      connection: {
        addEventListener: (event, listener) => {
          this.listeners[event].push(listener);
        },
        removeEventListener: (event, listener) => {
          const at = this.listeners[event].indexOf(listener);
          if (at >= 0) this.listeners[event].splice(at, 1);
        },
        sendMessagePromise: <Result>(command: Record<string, unknown>) => {
          if (this.form && !("key" in command)) {
            return Promise.resolve(structuredClone(this.form) as Result);
          }
          this.asked.push(command);
          return this.reply(command) as Promise<Result>;
        },
        subscribeMessage: (listener, command) => {
          this.commands.push(command);
          this.send = listener as typeof this.send;
          if (this.refuses) return Promise.reject(refusal(this.refuses));
          return Promise.resolve(() => {
            this.ended += 1;
            return Promise.resolve();
          });
        },
      },
      ...changes,
    };
  }
}

const refusal = (code: string): Error =>
  Object.assign(new Error("Not permitted"), { code });

/** Wait until what was sent is drawn. */
export const drawn = async (element: {
  updateComplete: Promise<boolean>;
}): Promise<void> => {
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
  await element.updateComplete;
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
};

/** Return what axe finds, except of what needs a layout. */
export const violations = async (element: Element): Promise<string[]> => {
  const rules = { "color-contrast": { enabled: false } };
  const found = await axe.run(element, { rules });
  return found.violations.map(({ id, nodes }) => {
    const [node] = nodes;
    return `${id}: ${node?.html ?? ""}`;
  });
};
