import {
  LitElement,
  css,
  html,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { property, query, state } from "lit/decorators.js";
import type { FaultMessage, FormField, KeyForm, KeyValues } from "./arrange";
import type { KeyFace, KeyPreview } from "./face";
import { loadForm } from "./ha-form";
import {
  DOMAIN,
  errorText,
  type HomeAssistant,
  type ServerError,
} from "./hass";
import { text, type TextKey } from "./texts";

export const EDITOR = "snom-key-editor";

/** Milliseconds without a change until the settings are tried. */
const PAUSE = 250;

type Values = Record<string, unknown>;

/** The fields that are not behind *More*. */
const FIRST = ["follows", "kind", "name"];

const FORGET_CODE = "forget_code";

/**
 * The settings of one key.
 *
 * Fires `key-preview` with the face that the key would have, or null for the one that it
 * has, and `key-done` when it is to be closed, with what was done, "" for nothing.
 */
export class KeyEditor extends LitElement {
  static override styles = css`
    :host {
      display: block;
      color: var(--primary-text-color);
    }
    h3 {
      margin: 0 0 12px;
      font-size: 18px;
      font-weight: 500;
    }
    p {
      margin: 12px 0;
    }
    .error {
      color: var(--error-color, #b00020);
    }
    details {
      margin-block-start: 16px;
    }
    summary {
      padding-block: 8px;
      font-weight: 500;
      cursor: pointer;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: end;
      gap: 8px;
      margin-block-start: 12px;
    }
    button {
      min-height: 36px;
      padding-inline: 16px;
      border: 1px solid currentcolor;
      border-radius: 18px;
      font: inherit;
      color: inherit;
      background: none;
      cursor: pointer;
    }
    button:disabled {
      opacity: 0.5;
      cursor: default;
    }
    .main {
      color: var(--card-background-color, #fff);
      background: var(--primary-text-color, #212121);
    }
    .swap {
      padding-block-start: 12px;
      border-block-start: 1px solid var(--divider-color, #e0e0e0);
    }
    label {
      display: flex;
      flex-direction: column;
      gap: 4px;
      font-size: 12px;
    }
    select {
      min-height: 36px;
      padding-inline: 8px;
      border: 1px solid currentcolor;
      border-radius: 6px;
      font: inherit;
      font-size: 14px;
      color: var(--primary-text-color);
      background: var(--card-background-color, #fff);
    }
  `;

  @property({ attribute: false }) hass?: HomeAssistant;

  @property({ attribute: false }) deviceId = "";

  /** The name of the key. */
  @property({ attribute: false }) key = "";

  /** The keys of the phone, for the list of those to swap with. */
  @property({ attribute: false }) keys: KeyFace[] = [];

  @query("ha-form") private _element?: HTMLElement;

  @state() private _form: KeyForm | undefined;

  @state() private _values: Values = {};

  /** What the key follows and what its press does, as tried last. */
  @state() private _line = "";

  @state() private _fault: FaultMessage["fault"] | undefined;

  /** What Home Assistant said in place of an answer. */
  @state() private _error = "";

  /** Whether a change is under way; a button that was disabled would lose the focus. */
  private _isSaving = false;

  @state() private _other = "";

  /** Whether the fields behind *More* are shown. */
  private _isOpen = false;

  private _timer: ReturnType<typeof setTimeout> | undefined;

  /** How often the settings were tried: only the last answer counts. */
  private _tries = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this._timer);
    this._tries += 1;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("key") || changed.has("deviceId")) void this._load();
  }

  protected override render(): TemplateResult {
    const values = this._stored;
    return html`<section
      aria-label=${this._text("arrange.name", { key: this.key })}
      @keydown=${this._keydown}
    >
      <h3>${this._text("arrange.name", { key: this.key })}</h3>
      ${values ? this._renderValues(values) : this._renderWaiting()}
    </section>`;
  }

  private _renderWaiting(): TemplateResult {
    return html`${
        this._error
          ? this._renderError(this._error)
          : html`<p role="status">${this._text("arrange.waiting")}</p>`
      }
      <div class="bar">${this._renderClose("arrange.close")}</div>`;
  }

  private _renderValues(values: KeyValues): TemplateResult {
    if (values.line !== null) {
      const { line } = values;
      return html`<p>${this._text("arrange.line", { line })}</p>
        <div class="bar">${this._renderClose("arrange.close")}</div>`;
    }
    const fault = this._fault;
    const isBeside = fault?.field && this._isShown(fault.field);
    const more = this._more(values);
    const isWrong = more.some(({ name }) => name === fault?.field);
    return html`${this._renderForm(this._first)}
      <details ?open=${this._isOpen || isWrong} @toggle=${this._toggled}>
        <summary>${this._text("arrange.more")}</summary>
        ${this._renderForm(more)}
      </details>
      ${fault && !isBeside ? this._renderError(fault.text) : nothing}
      ${this._error ? this._renderError(this._error) : nothing}
      <p role="status">${this._line}</p>
      <div class="bar">
        <button class="main" type="button" @click=${this._save}>
          ${this._text("arrange.save")}
        </button>
        ${this._renderClose("arrange.cancel")}
      </div>
      ${this._renderSwap()}`;
  }

  private _renderForm(schema: FormField[]): TemplateResult {
    const { field, text: said } = this._fault ?? {};
    return html`<ha-form
      .hass=${this.hass}
      .data=${this._values}
      .schema=${schema}
      .error=${field ? { [field]: said } : {}}
      .computeLabel=${labelOf}
      .computeHelper=${helpOf}
      .computeError=${same}
      @value-changed=${this._changed}
    ></ha-form>`;
  }

  private _renderError(said: string): TemplateResult {
    return html`<p class="error" role="alert">${said}</p>`;
  }

  private _renderClose(name: TextKey): TemplateResult {
    return html`<button type="button" @click=${this._cancel}>
      ${this._text(name)}
    </button>`;
  }

  private _renderSwap(): TemplateResult | typeof nothing {
    const lines = new Set(
      this._form?.keys.filter(({ line }) => line !== null).map(({ key }) => key)
    );
    const others = this.keys.filter(
      ({ key }) => key !== this.key && !lines.has(key)
    );
    if (!others.length) return nothing;
    return html`<div class="bar swap">
      <label>
        ${this._text("arrange.swap_with")}
        <select .value=${this._other} @change=${this._choose}>
          <option value=""></option>
          ${others.map(
            ({ key, label, title }) =>
              html`<option value=${key}>${key}: ${title || label}</option>`
          )}
        </select>
      </label>
      <button type="button" ?disabled=${!this._other} @click=${this._swap}>
        ${this._text("arrange.swap")}
      </button>
    </div>`;
  }

  private _text(key: TextKey, values?: Record<string, string>): string {
    return text(this.hass?.language, key, values);
  }

  // The form

  private get _stored(): KeyValues | undefined {
    return this._form?.keys.find(({ key }) => key === this.key);
  }

  /** The fields that say what the key is for. */
  private get _first(): FormField[] {
    const fields = this._form?.form ?? [];
    return FIRST.flatMap((first) =>
      fields.filter(({ name }) => name === first).map(short)
    );
  }

  /** Return the other fields for the kind of the key. */
  private _more(values: KeyValues): FormField[] {
    const more = (this._form?.form ?? [])
      .filter(
        ({ name, kind }) => this._isShown(name, kind) && !FIRST.includes(name)
      )
      .map((field) =>
        field.name === "code" && values.has_code
          ? { ...field, help: this._text("arrange.code_stored") }
          : short(field)
      );
    if (values.has_code && this._values["kind"] === "linked") {
      more.push({
        name: FORGET_CODE,
        label: this._text("arrange.forget_code"),
        help: "",
        kind: "linked",
        required: false,
        selector: { boolean: {} },
      });
    }
    return more;
  }

  /** Whether a field is shown: those of other kinds are not, but the entity is. */
  private _isShown(
    name: string,
    kind = this._form?.form.find((it) => it.name === name)?.kind
  ): boolean {
    return !kind || kind === this._values["kind"] || FIRST.includes(name);
  }

  /** The settings to send: without those of other kinds, and what is empty. */
  private get _settings(): Values {
    const settings: Values = {};
    for (const { name, kind } of this._form?.form ?? []) {
      const value = this._values[name];
      const isOfKind = !kind || kind === this._values["kind"];
      if (isOfKind && value !== undefined && value !== null && value !== "") {
        settings[name] = value;
      }
    }
    if (this._values[FORGET_CODE] && !settings["code"]) settings["code"] = null;
    return settings;
  }

  private _changed({
    detail: { value },
  }: CustomEvent<{ value: Values }>): void {
    const entity = value["follows"];
    // Who chooses an entity wants the key to follow it, and who takes it away does not.
    if (entity !== this._values["follows"]) {
      if (entity) value = { ...value, kind: "linked" };
      else if (value["kind"] === "linked") value = { ...value, kind: "light" };
    }
    this._values = value;
    this._fault = undefined;
    this._error = "";
    clearTimeout(this._timer);
    this._timer = setTimeout(() => void this._try(), PAUSE);
  }

  private _toggled(event: Event): void {
    this._isOpen = (event.target as HTMLDetailsElement).open;
  }

  private _choose(event: Event): void {
    this._other = (event.target as HTMLSelectElement).value;
  }

  // The server

  private async _load(): Promise<void> {
    clearTimeout(this._timer);
    this._form = this._fault = undefined;
    this._line = this._error = this._other = "";
    const tries = (this._tries += 1);
    this._preview(null);
    try {
      await loadForm();
    } catch {
      this._error = this._text("arrange.failed");
      return;
    }
    const form = await this._ask<KeyForm>({});
    if (!form || tries !== this._tries) return;
    this._form = form;
    this._values = { ...this._stored?.settings };
    if (!this._stored) return;
    await this.updateComplete;
    this._element?.focus();
    if (this._stored.line === null) await this._try();
  }

  /** Show what the key would be with these settings. */
  private async _try(): Promise<void> {
    const tries = (this._tries += 1);
    const { key, _settings: settings } = this;
    const tried = await this._ask<KeyPreview | FaultMessage>({
      key,
      settings,
      dry_run: true,
    });
    if (!tried || tries !== this._tries) return;
    if ("fault" in tried) {
      this._fault = tried.fault;
      this._line = "";
      this._preview(null);
    } else {
      this._line = tried.text;
      this._preview(tried.face);
    }
  }

  private async _save(): Promise<void> {
    const { key, _settings: settings } = this;
    clearTimeout(this._timer);
    this._isSaving = true;
    const isChanged = await this._hasChanged();
    this._isSaving = false;
    if (isChanged) return;
    await this._change({ key, settings }, this._text("arrange.saved", { key }));
  }

  /** Read the key again if others have changed it, and return whether they have. */
  private async _hasChanged(): Promise<boolean> {
    const before = JSON.stringify(this._stored);
    const tries = (this._tries += 1);
    const form = await this._ask<KeyForm>({});
    if (!form || tries !== this._tries) return true;
    this._form = form;
    if (JSON.stringify(this._stored) === before) return false;
    this._values = { ...this._stored?.settings };
    this._fault = undefined;
    await this._try();
    this._error = this._text("arrange.changed");
    return true;
  }

  private async _swap(): Promise<void> {
    const { key, _other: other } = this;
    await this._change(
      { key, swap_with: other },
      this._text("arrange.swapped", { key, other })
    );
  }

  private async _change(command: Values, done: string): Promise<void> {
    if (this._isSaving) return;
    clearTimeout(this._timer);
    this._tries += 1;
    this._isSaving = true;
    this._error = "";
    const result = await this._ask<KeyPreview | FaultMessage | null>(command);
    this._isSaving = false;
    if (result === undefined) return;
    if (result && "fault" in result) {
      this._fault = result.fault;
      this._line = "";
    } else {
      this._close(done);
    }
  }

  /** Return the answer to a command, undefined if there is none. */
  private async _ask<Result>(command: Values): Promise<Result | undefined> {
    const { hass } = this;
    if (!hass) return undefined;
    try {
      return await arrange<Result>(hass, this.deviceId, command);
    } catch (error) {
      this._error = await errorText(hass, error as Partial<ServerError>);
      return undefined;
    }
  }

  private _cancel(): void {
    this._close("");
  }

  private _close(done: string): void {
    this._preview(null);
    this.dispatchEvent(new CustomEvent("key-done", { detail: done }));
  }

  private _keydown(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.defaultPrevented) this._cancel();
  }

  private _preview(face: KeyFace | null): void {
    this.dispatchEvent(new CustomEvent("key-preview", { detail: face }));
  }
}

/** Return the answer of the server to a command about the keys of a phone. */
export const arrange = <Result>(
  { connection, language }: HomeAssistant,
  device_id: string,
  command: Values
): Promise<Result> =>
  connection.sendMessagePromise<Result>({
    type: `${DOMAIN}/phone/arrange`,
    device_id,
    language,
    ...command,
  });

/**
 * Return a field whose options are in a list that opens, however few they are. A key
 * always has a kind, so that one cannot be emptied.
 */
const short = (field: FormField): FormField => {
  const { select } = field.selector as { select?: Values };
  if (!select) return field;
  const required = field.required || field.name === "kind";
  const selector = { select: { ...select, mode: "dropdown" } };
  return { ...field, required, selector };
};

const labelOf = ({ label }: FormField): string => label;

const helpOf = ({ help }: FormField): string | undefined => help || undefined;

const same = (said: string): string => said;

declare global {
  interface HTMLElementTagNameMap {
    "snom-key-editor": KeyEditor;
  }
}
