import { LitElement, css, html, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { CARD } from "./config";
import { phonesOf, type HomeAssistant } from "./hass";
import { text } from "./texts";

export const PANEL = "snom-phones-panel";

/** The page `/snom-phones` with all phones, and `/snom-phones/DEVICE_ID` with one. */
export class PhonesPanel extends LitElement {
  static override styles = css`
    header {
      display: flex;
      align-items: center;
      min-height: var(--header-height, 56px);
      padding-inline: 12px;
      background-color: var(--app-header-background-color);
      color: var(--app-header-text-color);
    }
    h1 {
      margin: 0;
      font-size: 20px;
      font-weight: 400;
    }
    main {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr));
      gap: 16px;
      padding: 16px;
    }
  `;

  @property({ attribute: false }) hass?: HomeAssistant;

  @property({ type: Boolean }) narrow = false;

  @property({ attribute: false }) route?: { prefix: string; path: string };

  protected override render(): TemplateResult {
    const language = this.hass?.language;
    const devices = this._devices();
    return html`
      <header>
        <ha-menu-button
          .hass=${this.hass}
          .narrow=${this.narrow}
        ></ha-menu-button>
        <h1>${text(language, "panel.title")}</h1>
      </header>
      <main>
        ${
          devices.length
            ? repeat(
                devices,
                (device) => device,
                (device) => this._renderCard(device)
              )
            : text(language, "panel.empty")
        }
      </main>
    `;
  }

  /** Return the IDs of the devices to show. */
  private _devices(): string[] {
    const [device] = (this.route?.path ?? "").split("/").filter(Boolean);
    if (device) return [device];
    return this.hass ? phonesOf(this.hass).map(({ id }) => id) : [];
  }

  private _renderCard(device_id: string): TemplateResult {
    return html`<snom-phone-card
      .hass=${this.hass}
      .config=${{ type: `custom:${CARD}`, device_id }}
    ></snom-phone-card>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "snom-phones-panel": PhonesPanel;
  }
}
