/** What the card uses of Home Assistant's frontend. */

export type Unsubscribe = () => Promise<void>;

/** `ready` is that it is connected again. */
export type ConnectionEvent = "disconnected" | "ready";

export interface Connection {
  subscribeMessage: <Message>(
    listener: (message: Message) => void,
    command: { type: string; [field: string]: unknown },
    options?: { resubscribe?: boolean }
  ) => Promise<Unsubscribe>;
  sendMessagePromise: <Result>(command: {
    type: string;
    [field: string]: unknown;
  }) => Promise<Result>;
  addEventListener: (event: ConnectionEvent, listener: () => void) => void;
  removeEventListener: (event: ConnectionEvent, listener: () => void) => void;
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

/** An error that the server answers. */
export interface ServerError {
  code: string;
  message: string;
  translation_domain?: string;
  translation_key?: string;
  translation_placeholders?: Record<string, string>;
}

type Localize = (key: string, values?: Record<string, string>) => string;

export interface HomeAssistant {
  connection: Connection;
  language: string;
  devices: Record<string, Device>;
  entities: Record<string, Entity>;
  /** The integrations that are set up. */
  config: { components: string[] };
  callService: (
    domain: string,
    service: string,
    data: Record<string, unknown>,
    target?: undefined,
    notifyOnError?: boolean
  ) => Promise<unknown>;
  loadBackendTranslation: (
    category: "exceptions",
    integration: string
  ) => Promise<Localize>;
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

/** Return the IDs of the entities of a device, by name, except of hidden ones. */
export const entitiesOf = (hass: HomeAssistant, device_id: string): string[] =>
  Object.values(hass.entities)
    .filter((entity) => entity.device_id === device_id && !entity.hidden)
    .map(({ entity_id }) => entity_id)
    .sort((one, other) => objectId(one).localeCompare(objectId(other)));

const objectId = (entity_id: string): string =>
  entity_id.slice(entity_id.indexOf(".") + 1);

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

/** Return what an error says in the user's language, else as the server says it. */
export const errorText = async (
  hass: HomeAssistant,
  error: Partial<ServerError>
): Promise<string> => {
  const { translation_domain: domain, translation_key: key } = error;
  const said = error.message ?? String(error);
  if (!domain || !key) return said;
  const localize = await hass.loadBackendTranslation("exceptions", domain);
  return (
    localize(
      `component.${domain}.exceptions.${key}.message`,
      error.translation_placeholders
    ) || said
  );
};
