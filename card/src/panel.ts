import { LitElement, css, html, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
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
    main.one {
      grid-template-columns: minmax(0, 1200px);
      justify-content: center;
    }
  `;

  @property({ attribute: false }) hass?: HomeAssistant;

  @property({ type: Boolean }) narrow = false;

  @property({ attribute: false }) route?: { prefix: string; path: string };

  protected override render(): TemplateResult {
    const language = this.hass?.language;
    const devices = this._devices();
    const isOne = this._one !== undefined;
    return html`
      <header>
        <ha-menu-button
          .hass=${this.hass}
          .narrow=${this.narrow}
        ></ha-menu-button>
        <h1>${text(language, "panel.title")}</h1>
      </header>
      <main class=${isOne ? "one" : ""}>
        ${
          devices.length
            ? repeat(
                devices,
                (device) => device,
                (device) => this._renderCard(device, isOne)
              )
            : text(language, "panel.empty")
        }
      </main>
    `;
  }

  /** The device of the path, whose keys are arranged. */
  private get _one(): string | undefined {
    const [device] = (this.route?.path ?? "").split("/").filter(Boolean);
    return device;
  }

  /** Return the IDs of the devices to show. */
  private _devices(): string[] {
    if (this._one !== undefined) return [this._one];
    return this.hass ? phonesOf(this.hass).map(({ id }) => id) : [];
  }

  private _renderCard(device_id: string, isOne: boolean): TemplateResult {
    const type = `custom:${CARD}`;
    // Another configuration would draw the card again at each change of any state.
    return html`<snom-phone-card
      .hass=${this.hass}
      .config=${guard([device_id], () => ({ type, device_id }))}
      ?arranging=${isOne}
    ></snom-phone-card>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "snom-phones-panel": PhonesPanel;
  }
}
