import {
  LitElement,
  css,
  html,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { property, state } from "lit/decorators.js";
import {
  assertConfig,
  configForm,
  stubConfig,
  type CardConfig,
} from "./config";
import type { Changes, FaceMessage, KeyFace, PhoneFace } from "./face";
import type { HomeAssistant, Unsubscribe } from "./hass";
import { text, type TextKey } from "./texts";
import { VERSION } from "./version";

/** A phone on a dashboard: it follows the phone's face and shows it. */
export class PhoneCard extends LitElement {
  static override styles = css`
    ol {
      margin: 0;
      padding: 0 16px 16px;
      list-style: none;
    }
    p {
      margin: 0;
      padding: 16px;
    }
  `;

  @property({ attribute: false }) hass?: HomeAssistant;

  @state() private _config?: CardConfig;

  @state() private _phone: PhoneFace | undefined;

  /** Why there is no phone. */
  @state() private _missing: TextKey = "card.waiting";

  private _followed: string | undefined;

  private _subscription: Promise<Unsubscribe> | undefined;

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
    return 1 + (this._phone?.keys.length ?? 2);
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
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("hass") || changed.has("_config")) this._follow();
  }

  protected override render(): TemplateResult {
    const language = this.hass?.language;
    if (!this._config?.device_id) return this._renderText("card.no_device");
    if (!this._phone) return this._renderText(this._missing);
    const { name, keys, card } = this._phone;
    return html`<ha-card
      .header=${this._config.show_name === false ? undefined : name}
    >
      ${
        card === VERSION || !VERSION
          ? nothing
          : html`<p role="alert">${text(language, "card.reload")}</p>`
      }
      <ol>
        ${keys.map((key) => html`<li>${key.key}: ${key.label || key.title}</li>`)}
      </ol>
    </ha-card>`;
  }

  private _renderText(key: TextKey): TemplateResult {
    return html`<ha-card><p>${text(this.hass?.language, key)}</p></ha-card>`;
  }

  private _follow(): void {
    const device_id = this._config?.device_id;
    if (!this.isConnected || !this.hass || device_id === this._followed) {
      return;
    }
    this._unfollow();
    this._missing = "card.waiting";
    this._followed = device_id;
    if (!device_id) return;
    const subscription = this.hass.connection.subscribeMessage<FaceMessage>(
      (message) => {
        if (this._subscription === subscription) this._take(message);
      },
      { type: "snom_buttons/phone/subscribe", device_id }
    );
    this._subscription = subscription;
    subscription.catch(() => {
      if (this._subscription !== subscription) return;
      this._subscription = undefined;
      this._missing = "card.unknown";
    });
  }

  private _unfollow(): void {
    // A subscription may have ended with its connection.
    this._subscription?.then((end) => end()).catch(() => undefined);
    this._subscription = undefined;
    this._followed = undefined;
    this._phone = undefined;
  }

  private _take(message: FaceMessage): void {
    if ("phone" in message) this._phone = message.phone;
    else if ("gone" in message) {
      this._phone = undefined;
      this._missing = `card.${message.gone}`;
    } else if (this._phone) {
      this._phone = changed(this._phone, message.changes);
    }
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
    keys: phone.keys.map((key) => news.get(key.key) ?? key),
  };
};

declare global {
  interface HTMLElementTagNameMap {
    "snom-phone-card": PhoneCard;
  }
}
