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
  /** Of a phone or a shared line: its server. */
  via_device_id: string | null;
  disabled_by: string | null;
  identifiers: [string, string][];
}

/** An entity that is enabled, as the frontend keeps it of the registry. */
export interface Entity {
  entity_id: string;
  device_id?: string;
  platform: string;
  hidden?: boolean;
}

export interface HomeAssistant {
  connection: Connection;
  language: string;
  devices: Record<string, Device>;
  entities: Record<string, Entity>;
}

export const DOMAIN = "snom_buttons";

/** Return the devices that are phones, by name; servers and shared lines are services. */
export const phonesOf = (hass: HomeAssistant): Device[] =>
  devicesOf(hass, ({ entry_type }) => entry_type === null);

/** Return the devices that are shared lines, by name; a server has none above it. */
export const linesOf = (hass: HomeAssistant): Device[] =>
  devicesOf(
    hass,
    ({ entry_type, via_device_id }) => entry_type !== null && !!via_device_id
  );

/** Return the IDs of the entities of a device, except of hidden ones. */
export const entitiesOf = (hass: HomeAssistant, device_id: string): string[] =>
  Object.values(hass.entities)
    .filter((entity) => entity.device_id === device_id && !entity.hidden)
    .map(({ entity_id }) => entity_id);

/** Return those of our enabled devices that are wanted, by name. */
const devicesOf = (
  hass: HomeAssistant,
  isWanted: (device: Device) => boolean
): Device[] =>
  Object.values(hass.devices)
    .filter(
      (device) =>
        device.disabled_by === null &&
        device.identifiers.some(([domain]) => domain === DOMAIN) &&
        isWanted(device)
    )
    .sort((one, other) =>
      nameOf(one).localeCompare(nameOf(other), hass.language, {
        numeric: true,
      })
    );

const nameOf = (device: Device): string =>
  device.name_by_user ?? device.name ?? "";
