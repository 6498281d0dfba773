/** What the card uses of Home Assistant's frontend. */

export type Unsubscribe = () => Promise<void>;

export interface Connection {
  subscribeMessage: <Message>(
    listener: (message: Message) => void,
    command: { type: string; [field: string]: unknown }
  ) => Promise<Unsubscribe>;
}

export interface Device {
  id: string;
  name: string | null;
  name_by_user: string | null;
  entry_type: "service" | null;
  disabled_by: string | null;
  identifiers: [string, string][];
}

export interface HomeAssistant {
  connection: Connection;
  language: string;
  devices: Record<string, Device>;
}

const DOMAIN = "snom_buttons";

/** Return the devices that are phones, by name; servers and shared lines are services. */
export const phonesOf = (hass: HomeAssistant): Device[] =>
  Object.values(hass.devices)
    .filter(
      (device) =>
        device.entry_type === null &&
        device.disabled_by === null &&
        device.identifiers.some(([domain]) => domain === DOMAIN)
    )
    .sort((one, other) =>
      nameOf(one).localeCompare(nameOf(other), hass.language, {
        numeric: true,
      })
    );

const nameOf = (device: Device): string =>
  device.name_by_user ?? device.name ?? "";
