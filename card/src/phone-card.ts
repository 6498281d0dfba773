import {
  LitElement,
  css,
  html,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { property, query, state } from "lit/decorators.js";
import {
  assertConfig,
  configForm,
  stubConfig,
  type CardConfig,
} from "./config";
import type { FaultMessage } from "./arrange";
import { exampleFace } from "./example";
import type { Changes, FaceMessage, KeyFace, PhoneFace } from "./face";
import {
  DOMAIN,
  errorText,
  phonesOf,
  type Connection,
  type HomeAssistant,
  type ServerError,
  type Unsubscribe,
} from "./hass";
import { PENCIL } from "./drawing";
import type { FaceView } from "./face-view";
import { arrange } from "./key-editor";
import { text, type TextKey } from "./texts";
import { VERSION } from "./version";

const REFUSALS: Partial<Record<string, TextKey>> = {
  not_found: "card.unknown",
  unauthorized: "card.refused",
};

/** A phone on a dashboard: it follows the phone's face and shows it. */
export class PhoneCard extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 100%;
    }
    /* A user can set fewer rows than the drawing needs. */
    ha-card {
      box-sizing: border-box;
      height: 100%;
      padding: 8px;
      overflow: auto;
    }
    ha-card.arranges {
      height: auto;
      overflow: visible;
    }
    p {
      margin: 0;
    }
    p[role="status"] {
      padding: 8px;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding-block-end: 10px;
    }
    .error {
      padding-block-start: 10px;
      color: var(--primary-text-color);
    }
    .error::before {
      content: "⚠ ";
    }
    .foot {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding-block-start: 4px;
    }
    .frame {
      container-type: inline-size;
    }
    .arranging {
      display: flex;
      flex-wrap: wrap;
      align-items: start;
      gap: 16px;
    }
    .arranging > * {
      flex: 1 1 320px;
      min-width: 0;
    }
    @container (min-width: 680px) {
      .arranging > snom-phone-face {
        position: sticky;
        top: 8px;
      }
    }
    .editor {
      padding: 8px;
      box-sizing: border-box;
    }
    button {
      min-height: 32px;
      padding-inline: 14px;
      border: 0;
      border-radius: 16px;
      font: inherit;
      color: var(--card-background-color, #fff);
      background: var(--primary-text-color, #212121);
      cursor: pointer;
    }
    button.pencil {
      display: grid;
      place-items: center;
      width: 32px;
      padding: 0;
      color: var(--secondary-text-color, #727272);
      background: none;
    }
    .pencil svg {
      width: 18px;
      height: 18px;
      fill: none;
      stroke: currentcolor;
      stroke-width: 1.5;
      stroke-linejoin: round;
    }
  `;

  @property({ attribute: false }) hass?: HomeAssistant;

  /** Whether the keys are arranged, by a user who may. */
  @property({ type: Boolean }) arranging = false;

  @query("snom-phone-face") private _view?: FaceView;

  /** The key that is arranged. */
  @state() private _chosen: string | undefined;

  /** The face that the key would have. */
  @state() private _preview: KeyFace | null = null;

  /** What was arranged last. */
  @state() private _done = "";

  @state() private _config?: CardConfig;

  /** As it was last, while the server has stopped. */
  @state() private _phone: PhoneFace | undefined;

  @state() private _hasStopped = false;

  /** Until a message has come over the next connection. */
  @state() private _isLost = false;

  /** Why there is no phone. */
  @state() private _missing: TextKey = "card.waiting";

  /** What Home Assistant said about a subscription or a press. */
  @state() private _error = "";

  /** The phone that is or was shown. */
  private _shown: string | undefined;

  private _followed: string | undefined;

  private _subscription: Promise<Unsubscribe> | undefined;

  private _connection: Connection | undefined;

  static getStubConfig = stubConfig;

  static getConfigForm = configForm;

  /** As an element of a template, which cannot call `setConfig`. */
  set config(config: CardConfig) {
    this.setConfig(config);
  }

  setConfig(config: CardConfig): void {
    assertConfig(config);
    this._config = config;
  }

  getCardSize(): number {
    const rows = (this._phone?.groups ?? []).map((group) => group.rows);
    return 4 + Math.max(...rows, 2);
  }

  /** A section wide, and as high as its drawing. */
  getGridOptions(): { columns: number; min_columns: number } {
    return { columns: 12, min_columns: 6 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this._follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._unfollow();
    this._listen(undefined);
  }

  /** Home Assistant sets `hass` at each change of any state. */
  protected override shouldUpdate(changed: PropertyValues): boolean {
    const before = changed.get("hass") as HomeAssistant | undefined;
    return (
      changed.size > 1 ||
      !before ||
      before.language !== this.hass?.language ||
      before.config.components !== this.hass.config.components
    );
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("hass") || changed.has("_config")) this._follow();
  }

  protected override render(): TemplateResult {
    const language = this.hass?.language;
    if (!this._config?.device_id) return this._renderExample();
    const phone = this._phone;
    if (!phone) return this._renderText(this._missing);
    return html`<ha-card class=${this._isArranging ? "arranges" : ""}>
      ${
        phone.card === VERSION || !VERSION
          ? nothing
          : html`<div class="bar" role="alert">
              <p>${text(language, "card.reload")}</p>
              <button type="button" @click=${this._reload}>
                ${text(language, "card.reload_now")}
              </button>
            </div>`
      }
      <div class="frame">
        <div class=${this._isArranging ? "arranging" : ""}>
          <snom-phone-face
            .face=${this._preview ? changed(phone, { keys: [this._preview] }) : phone}
            .language=${language}
            .stopped=${this._hasStopped}
            .lost=${this._isLost}
            .nameless=${this._config.show_name === false}
            .arranging=${this._isArranging}
            .chosen=${this._chosen}
            @key-press=${this._press}
            @key-hold=${this._showMore}
            @key-choose=${this._choose}
            @key-swap=${this._swap}
          ></snom-phone-face>
          ${this._isArranging ? this._renderEditor(phone) : nothing}
        </div>
      </div>
      ${phone.may.arrange && !this._hasStopped && !this._isLost ? this._renderPencil() : nothing}
      ${this._error ? html`<p class="error" role="alert">${this._error}</p>` : nothing}
    </ha-card>`;
  }

  /** Without a phone: what the card would show, and why it does not. */
  private _renderExample(): TemplateResult {
    const { hass } = this;
    const isEmpty = hass && !phonesOf(hass).length;
    const said = text(
      hass?.language,
      isEmpty ? "panel.empty" : "card.no_device"
    );
    return html`<ha-card>
      <p role="status">${said}</p>
      <snom-phone-face
        .face=${exampleFace(hass?.language)}
        .language=${hass?.language}
      ></snom-phone-face>
    </ha-card>`;
  }

  private get _isArranging(): boolean {
    const may = this._phone?.may.arrange ?? false;
    return this.arranging && may && !this._hasStopped;
  }

  private _renderPencil(): TemplateResult {
    const { language } = this.hass ?? {};
    const isOn = this._isArranging;
    const name = text(language, "arrange.start");
    return html`<div class="foot">
      <p role="status">${isOn ? this._done || nothing : nothing}</p>
      <button
        type="button"
        class=${isOn ? "" : "pencil"}
        aria-pressed=${isOn}
        aria-label=${name}
        title=${name}
        @click=${this._toggle}
      >
        ${isOn ? text(language, "arrange.done") : PENCIL}
      </button>
    </div>`;
  }

  private _renderEditor({ keys }: PhoneFace): TemplateResult {
    return html`<div class="editor">
      ${
        keys.every(({ key }) => key !== this._chosen)
          ? html`<p>${text(this.hass?.language, "arrange.hint")}</p>`
          : html`<snom-key-editor
              .hass=${this.hass}
              .deviceId=${this._shown ?? ""}
              .key=${this._chosen ?? ""}
              .keys=${keys}
              @key-preview=${this._showPreview}
              @key-done=${this._end}
            ></snom-key-editor>`
      }
    </div>`;
  }

  private _renderText(key: TextKey): TemplateResult {
    const said = text(this.hass?.language, key, { message: this._error });
    return html`<ha-card><p role="status">${said}</p></ha-card>`;
  }

  // The subscription

  private _follow(): void {
    const device_id = this._config?.device_id;
    if (!this.isConnected || !this.hass || device_id === this._followed) return;
    this._unfollow();
    if (device_id !== this._shown) {
      this._shown = device_id;
      this._phone = this._chosen = undefined;
      this._preview = null;
      this._hasStopped = false;
      this._isLost = false;
      this._missing = "card.waiting";
      this._error = "";
    }
    // While Home Assistant starts it has no such command yet.
    if (!device_id || !this.hass.config.components.includes(DOMAIN)) return;
    this._followed = device_id;
    this._subscribe(this.hass.connection, device_id);
  }

  private _subscribe(connection: Connection, device_id: string): void {
    const subscription = connection.subscribeMessage<FaceMessage>(
      (message) => {
        if (this._subscription === subscription) this._take(message);
      },
      { type: `${DOMAIN}/phone/subscribe`, device_id },
      { resubscribe: false } // it would not retry
    );
    this._subscription = subscription;
    this._listen(connection);
    subscription.catch((error: unknown) => {
      if (this._subscription === subscription) {
        this._fail(error as Partial<ServerError>);
      }
    });
  }

  /**
   * Hear when a connection is lost, and there again.
   *
   * Not ended and begun anew while it fires: it would then pass over the listener after.
   */
  private _listen(connection: Connection | undefined): void {
    if (connection === this._connection) return;
    this._connection?.removeEventListener("disconnected", this._disconnected);
    this._connection?.removeEventListener("ready", this._reconnected);
    this._connection = connection;
    connection?.addEventListener("disconnected", this._disconnected);
    connection?.addEventListener("ready", this._reconnected);
  }

  private _fail({ code = "", message = "" }: Partial<ServerError>): void {
    this._subscription = undefined;
    if (code === "unknown_command") {
      this._followed = undefined; // until its integration is set up
      return;
    }
    this._phone = undefined;
    this._isLost = false;
    this._error = message;
    this._missing = REFUSALS[code] ?? "card.failed";
  }

  /** The message of Home Assistant itself is loaded only then, and so often missing. */
  private _disconnected = (): void => {
    this._isLost = true;
  };

  /** Subscribe again; what was subscribed before has ended with the connection. */
  private _reconnected = (): void => {
    this._subscription = undefined;
    this._followed = undefined;
    this._follow();
  };

  private _unfollow(): void {
    // A subscription may have ended with its connection.
    this._subscription?.then((end) => end()).catch(() => undefined);
    this._subscription = undefined;
    this._followed = undefined;
  }

  private _take(message: FaceMessage): void {
    this._isLost = false;
    if ("phone" in message) {
      this._phone = message.phone;
      this._hasStopped = false;
    } else if ("changes" in message) {
      if (this._phone) this._phone = changed(this._phone, message.changes);
    } else if (message.gone === "stopped") {
      this._hasStopped = true;
      this._missing = "card.stopped";
    } else {
      this._phone = undefined;
      this._missing =
        message.gone === "removed" ? "card.removed" : "card.refused";
    }
  }

  // What the user does

  private _reload(): void {
    location.reload();
  }

  private async _press({ detail: key }: CustomEvent<string>): Promise<void> {
    const { hass } = this;
    if (!hass) return;
    this._error = "";
    try {
      const data = { device_id: this._shown, key };
      await hass.callService(DOMAIN, "press_key", data, undefined, false);
    } catch (error) {
      this._error = await errorText(hass, error as Partial<ServerError>);
    }
  }

  private _toggle(): void {
    this.arranging = !this.arranging;
    this._chosen = undefined;
    this._preview = null;
    this._done = "";
  }

  private _choose({ detail: key }: CustomEvent<string>): void {
    this._chosen = key;
    this._preview = null;
    this._done = this._error = "";
  }

  private _showPreview({ detail: face }: CustomEvent<KeyFace | null>): void {
    this._preview = face;
  }

  /** Close the editor, and go back to its key. */
  private async _end({ detail: done }: CustomEvent<string>): Promise<void> {
    const key = this._chosen;
    this._chosen = undefined;
    this._preview = null;
    this._done = done;
    await this.updateComplete;
    if (key !== undefined) this._view?.focusOn(key);
  }

  private async _swap({
    detail: [key, other],
  }: CustomEvent<[string, string]>): Promise<void> {
    const { hass } = this;
    if (!hass) return;
    this._chosen = undefined;
    this._preview = null;
    this._done = this._error = "";
    try {
      const fault = await arrange<FaultMessage | null>(
        hass,
        this._shown ?? "",
        {
          key,
          swap_with: other,
        }
      );
      if (fault) this._error = fault.fault.text;
      else this._done = text(hass.language, "arrange.swapped", { key, other });
    } catch (error) {
      this._error = await errorText(hass, error as Partial<ServerError>);
    }
  }

  private _showMore({ detail: name }: CustomEvent<string>): void {
    const key = this._phone?.keys.find(({ key: it }) => it === name);
    if (!key?.entity_id) return;
    this.dispatchEvent(
      new CustomEvent("hass-more-info", {
        detail: { entityId: key.entity_id },
        bubbles: true,
        composed: true,
      })
    );
  }
}

/** Return a face with its changes. */
export const changed = (
  phone: PhoneFace,
  { keys = [], ...others }: Changes
): PhoneFace => {
  const news = new Map<string, KeyFace>(keys.map((key) => [key.key, key]));
  return {
    ...phone,
    ...others,
    keys: news.size
      ? phone.keys.map((key) => news.get(key.key) ?? key)
      : phone.keys,
  };
};

declare global {
  interface HTMLElementTagNameMap {
    "snom-phone-card": PhoneCard;
  }
}
