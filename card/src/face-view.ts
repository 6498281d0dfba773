import {
  LitElement,
  html,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { property, queryAll, state } from "lit/decorators.js";
import { classMap } from "lit/directives/class-map.js";
import { guard } from "lit/directives/guard.js";
import { startBlinking, stopBlinking } from "./blink";
import { CLOCK, DIAL, ENVELOPE, HANDSET, WARNING, cap } from "./drawing";
import type { KeyFace, KeyGroup, PhoneFace } from "./face";
import { STYLES } from "./face-view-styles";
import { KeyDrag } from "./key-drag";
import { text, type TextKey } from "./texts";
import { arrangeWords, keyWords, labelOf, newsOf } from "./words";

export const VIEW = "snom-phone-face";

/** Milliseconds that a phone may take until it is behind: each change takes a moment. */
const LATE_TIME = 2000;

/** Milliseconds until a press is a long one. */
const HOLD_TIME = 500;

/** Pixels that a finger may move while it holds a key. */
const HOLD_DISTANCE = 10;

/** Where the cap of a key is: beside its label or above it. */
type Side = "start" | "end" | "above";

/** One page of a group of keys. */
interface Page {
  group: number;
  page: number;
  pages: number;
  /** The names of its keys. */
  keys: string[];
}

/**
 * The drawing of a phone.
 *
 * Fires `key-press` and, on a long press or a right click, `key-hold`; the detail of both
 * is the name of the key. While keys are arranged it fires `key-choose` in place of them,
 * and `key-swap` with two names when one is dragged onto another.
 */
export class FaceView extends LitElement {
  static override styles = STYLES;

  @property({ attribute: false }) face?: PhoneFace;

  @property({ attribute: false }) language?: string | undefined;

  /** Whether the face is the last one of a server that has stopped. */
  @property({ type: Boolean }) stopped = false;

  /** Whether the face is the last one before the connection was lost. */
  @property({ type: Boolean }) lost = false;

  /** Whether the name of the phone is not drawn. */
  @property({ type: Boolean }) nameless = false;

  /** Whether the keys are arranged, and not pressed. */
  @property({ type: Boolean }) arranging = false;

  /** The key that is chosen while they are arranged. */
  @property({ attribute: false }) chosen?: string | undefined;

  @queryAll("button.key") private _buttons!: NodeListOf<HTMLElement>;

  /** The page shown, by group. */
  @state() private _pages: Record<number, number> = {};

  /** The key to which Tab goes, by group. */
  @state() private _current: Record<number, string> = {};

  /** Whether the phone has been behind for a while. */
  @state() private _isLate = false;

  private _lateTimer: ReturnType<typeof setTimeout> | undefined;

  /** What a screen reader says next. */
  @state() private _said = "";

  private _shownStatus: TextKey | undefined;

  private _keys = new Map<string, KeyFace>();

  private _timer: ReturnType<typeof setTimeout> | undefined;

  private _start: { x: number; y: number } | undefined;

  /** Whether the click or the menu that follows belongs to a long press. */
  private _held = false;

  private _drag = new KeyDrag(
    () => this.shadowRoot,
    (from, to) => {
      this.dispatchEvent(new CustomEvent("key-swap", { detail: [from, to] }));
    }
  );

  /** The key to focus when it is drawn. */
  private _focus: string | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    startBlinking(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    stopBlinking(this);
    this._endHold();
    this._endLate();
    this._drag.end();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { face } = this;
    if (!face) return;
    if (face.status !== "behind" || this._isOld) this._endLate();
    else if (this._lateTimer === undefined) {
      this._lateTimer = setTimeout(() => {
        this._isLate = true;
      }, LATE_TIME);
    }
    const before = changed.get("face") as PhoneFace | undefined;
    const said = before ? this._newsOf(before, face) : [];
    if (changed.has("face") && before?.keys !== face.keys) {
      this._keys = new Map(face.keys.map((key) => [key.key, key]));
    }
    if (this._status !== this._shownStatus) {
      if (this._shownStatus) said.push(this._text(this._status));
      this._shownStatus = this._status;
    }
    if (before || said.length) this._said = said.join(". ");
  }

  protected override updated(): void {
    const name = this._focus;
    if (name === undefined) return;
    this._focus = undefined;
    [...this._buttons].find(({ dataset }) => dataset["key"] === name)?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { face } = this;
    if (!face) return nothing;
    const [first, ...others] = face.groups;
    const isOff = this._isOld || face.status === "absent";
    return html`<section
      class="phone ${this._status.slice("status.".length)} ${isOff ? "off" : "on"} ${this.arranging ? "arranging" : ""}"
      aria-label=${face.name}
      @click=${this._click}
      @keydown=${this._keydown}
      @contextmenu=${this._contextmenu}
      @pointerdown=${this._pointerdown}
      @pointermove=${this._pointermove}
      @pointerup=${this._pointerup}
      @pointercancel=${this._pointercancel}
      @pointerleave=${this._pointercancel}
    >
      <div class="body ${first && first.columns < 2 ? "narrow" : ""}">
        <div class="left">${HANDSET}</div>
        <div class="front">
          ${this._renderDisplay(face)}
          ${first ? this._renderGroup(first, 0) : nothing}
          ${face.keys.some((key) => this._isShown(key)) ? nothing : this._renderNote("phone.empty")}
          ${DIAL}
        </div>
      </div>
      ${others.map((group, at) => this._renderModule(group, at + 1))}
      ${
        face.may.press || this.arranging
          ? nothing
          : this._renderNote("phone.no_press")
      }
      <p class="said" role="status">${this._said}</p>
    </section>`;
  }

  /** The display in the middle: the name, the messages and what is wrong. */
  private _renderDisplay(face: PhoneFace): TemplateResult {
    const { messages } = face;
    const status = this._status;
    const fresh = messages?.new ?? 0;
    const model = [face.maker, face.model].filter(Boolean).join(" ");
    return html`<div class="display">
      <h2 dir="auto">${this.nameless ? model : face.name}</h2>
      <svg class="message-lamp" viewBox="0 0 26 10" aria-hidden="true">
        <rect class="lens" x="3" y="2" width="20" height="6" rx="3" />
        ${
          fresh
            ? html`<svg class="lit medium">
                <rect
                  class="message-light"
                  x="3"
                  y="2"
                  width="20"
                  height="6"
                  rx="3"
                />
              </svg>`
            : nothing
        }
      </svg>
      ${
        status === "status.in_sync"
          ? html`<p class="model" dir="auto">
              ${this.nameless ? nothing : model}
            </p>`
          : html`<p class="problem">${WARNING}${this._text(status)}</p>`
      }
      ${
        messages && fresh + messages.old
          ? html`<p class="messages ${fresh ? "fresh" : ""}">
              ${ENVELOPE}${this._text("phone.messages", { ...messages })}
            </p>`
          : nothing
      }
    </div>`;
  }

  private _renderModule(group: KeyGroup, index: number): TemplateResult {
    return html`<div class="body module">
      <p class="model" dir="auto">${this._groupName(group, index)}</p>
      ${this._renderGroup(group, index)}
    </div>`;
  }

  private _renderGroup(group: KeyGroup, index: number): TemplateResult {
    const page = this._page(index);
    const columns = Math.max(group.columns, 1);
    const rows: string[][] = [];
    for (let at = 0; at < page.keys.length; at += columns) {
      rows.push(page.keys.slice(at, at + columns));
    }
    const used = this._usedKeys(page);
    const current = this._currentKey(index, used);
    const wide = columns > 2 || group.kind === "generic" ? "tiles" : "beside";
    return html`<div class="group">
      <div
        class="keys ${group.kind} ${wide} ${columns === 1 ? "single" : ""}"
        role="grid"
        aria-label=${this._groupName(group, index)}
        data-group=${index}
      >
        ${rows.map(
          (row) =>
            html`<div class="row" role="row" style="--columns: ${columns}">
              ${row.map((name, column) =>
                this._renderKey(
                  name,
                  sideOf(group, columns, column),
                  name === current
                )
              )}
            </div>`
        )}
      </div>
      ${page.pages > 1 ? this._renderTabs(page) : nothing}
      ${group.kind === "generic" ? this._renderNote("phone.generic") : nothing}
    </div>`;
  }

  private _renderKey(name: string, side: Side, isCurrent: boolean): unknown {
    const key = this._keys.get(name);
    const isPressable = key !== undefined && this._isPressable(key);
    const { language, arranging } = this;
    const lacks = this._showsLacking && Boolean(key?.lacking);
    const isChosen = arranging && name === this.chosen;
    const parts = [key, name, side, isCurrent, isPressable, lacks, language];
    return guard([...parts, arranging, isChosen], () =>
      this._isShown(key)
        ? html`<div class="cell" role="gridcell">
            ${this._renderUsed({ ...key, lacking: lacks }, side, isCurrent, isPressable)}
          </div>`
        : html`<div class="cell" role="gridcell">
            <div class="key unused ${side}" data-key=${name}>
              ${cap(undefined)}<span class="label"></span>
            </div>
          </div>`
    );
  }

  private _renderUsed(
    key: KeyFace,
    side: Side,
    isCurrent: boolean,
    isPressable: boolean
  ): TemplateResult {
    const { language } = this;
    const words = this.arranging
      ? arrangeWords(language, key)
      : keyWords(language, key, isPressable);
    const news = newsOf(language, key);
    const { lacking, confirming } = key;
    const plain = !key.label;
    return html`<button
      type="button"
      class=${classMap({ key: true, [side]: true, lacking, confirming, plain })}
      data-key=${key.key}
      tabindex=${isCurrent ? 0 : -1}
      aria-label=${words}
      aria-disabled=${isPressable || this.arranging ? "false" : "true"}
      aria-pressed=${this.arranging ? key.key === this.chosen : nothing}
      title=${words}
    >
      ${cap(key)}
      <span class="label">
        <span class="name" dir="auto">${labelOf(language, key)}</span>
        ${
          news.length || key.waiting || lacking
            ? html`<span class="news">
                ${lacking ? CLOCK : nothing}
                ${key.waiting ? html`${ENVELOPE}${key.waiting}` : nothing}
                <span dir="auto">${news.join(" · ")}</span>
              </span>`
            : nothing
        }
      </span>
    </button>`;
  }

  private _renderTabs({ group, page, pages }: Page): TemplateResult {
    return html`<div
      class="tabs"
      role="group"
      aria-label=${this._text("phone.pages")}
    >
      ${Array.from({ length: pages }, (_, at) => {
        const lamps = this._page(group, at).keys.flatMap((name) => {
          const key = this._keys.get(name);
          return key && key.pattern !== "dark" ? [key] : [];
        });
        const isShown = at === page;
        const [lit] = isShown ? [] : lamps.sort(byUrgency);
        const name = lit
          ? this._text("phone.page_lit", { page: at + 1, lamps: lamps.length })
          : this._text("phone.page", { page: at + 1 });
        return html`<button
          type="button"
          class="tab"
          data-page=${at}
          data-group=${group}
          aria-current=${isShown ? "page" : "false"}
          aria-label=${name}
          title=${name}
        >
          ${at + 1}${
            lit
              ? html`<svg
                  class="page-lamp"
                  viewBox="0 0 10 10"
                  aria-hidden="true"
                >
                  <circle class="lens" cx="5" cy="5" r="4.5" />
                  <circle
                    class="lit ${lit.pattern}"
                    cx="5"
                    cy="5"
                    r="3.5"
                    fill=${lit.color}
                  />
                </svg>`
              : nothing
          }
        </button>`;
      })}
    </div>`;
  }

  private _renderNote(key: TextKey): TemplateResult {
    return html`<p class="note">${this._text(key)}</p>`;
  }

  private _text(
    key: TextKey,
    values?: Record<string, string | number>
  ): string {
    return text(this.language, key, values);
  }

  private _groupName({ module }: KeyGroup, index: number): string {
    if (module) return this._text("phone.module", { model: module });
    return this._text(index ? "phone.more" : "phone.keys");
  }

  private get _isOld(): boolean {
    return this.stopped || this.lost;
  }

  private get _status(): TextKey {
    const { status = "in_sync" } = this.face ?? {};
    if (this.lost) return "status.lost";
    if (this.stopped) return "status.stopped";
    if (status === "behind" && !this._isLate) return "status.in_sync";
    return `status.${status}`;
  }

  /** Whether it is said of a key that the phone has not taken what it should show. */
  private get _showsLacking(): boolean {
    return ["status.behind", "status.refusing"].includes(this._status);
  }

  private _endLate(): void {
    clearTimeout(this._lateTimer);
    this._lateTimer = undefined;
    this._isLate = false;
  }

  /** Return what to say of messages and keys; what lamps show is not said. */
  private _newsOf(before: PhoneFace, { messages, keys }: PhoneFace): string[] {
    const news: string[] = [];
    if (messages && messages.new > (before.messages?.new ?? 0)) {
      news.push(this._text("phone.messages", { ...messages }));
    }
    for (const key of keys) {
      if (key.confirming && !this._keys.get(key.key)?.confirming) {
        const name = labelOf(this.language, key);
        news.push(`${name}: ${this._text("key.confirming")}`);
      }
    }
    return news;
  }

  // Pages and keys

  private _page(group: number, page = this._pages[group] ?? 0): Page {
    const found = this.face?.groups[group];
    const keys = found?.keys ?? [];
    const size = Math.max((found?.columns ?? 1) * (found?.rows ?? 1), 1);
    const pages = Math.max(Math.ceil(keys.length / size), 1);
    const shown = Math.min(page, pages - 1);
    return {
      group,
      page: shown,
      pages,
      keys: keys.slice(shown * size, (shown + 1) * size),
    };
  }

  private _usedKeys(page: Page): string[] {
    return page.keys.filter((name) => this._isShown(this._keys.get(name)));
  }

  /** Whether a key can be pressed or looked at, or arranged. */
  private _isShown(key: KeyFace | undefined): key is KeyFace {
    return isUsed(key) || (this.arranging && key !== undefined);
  }

  private _currentKey(group: number, used: string[]): string | undefined {
    const current = this._current[group];
    return current !== undefined && used.includes(current) ? current : used[0];
  }

  private _isPressable(key: KeyFace): boolean {
    return key.pressable && !this._isOld && Boolean(this.face?.may.press);
  }

  private _turn(group: number, page: number): boolean {
    const before = this._page(group);
    if (page < 0 || page >= before.pages || page === before.page) return false;
    this._pages = { ...this._pages, [group]: page };
    this._said = this._text("phone.page", { page: page + 1 });
    return true;
  }

  private _focusKey(group: number, name: string | undefined): void {
    if (name === undefined) return;
    this._current = { ...this._current, [group]: name };
    this._focus = name;
  }

  // What the user does

  /** Focus a key, as after what was done with it. */
  focusOn(key: string): void {
    [...this._buttons].find(({ dataset }) => dataset["key"] === key)?.focus();
  }

  private _fire(
    type: "key-press" | "key-hold" | "key-choose",
    key: string
  ): void {
    this.dispatchEvent(new CustomEvent(type, { detail: key }));
  }

  private _click(event: MouseEvent): void {
    const tab = found(event, "button.tab");
    if (tab) {
      this._turn(Number(tab.dataset["group"]), Number(tab.dataset["page"]));
      return;
    }
    const button = found(event, "button.key");
    const key = this._keys.get(button?.dataset["key"] ?? "");
    if (!button || !key) return;
    const isHeld = this._held && event.detail > 0;
    this._held = false;
    if (isHeld) return;
    const group = groupOf(button);
    this._current = { ...this._current, [group]: key.key };
    if (this.arranging) this._fire("key-choose", key.key);
    else if (this._isPressable(key)) this._fire("key-press", key.key);
  }

  private _pointerdown(event: PointerEvent): void {
    this._endHold();
    this._held = false;
    const button = found(event, "button.key");
    const key = button?.dataset["key"];
    if (!button || key === undefined || event.button !== 0) return;
    if (this.arranging) {
      this._drag.begin(button, event);
      return;
    }
    this._start = { x: event.clientX, y: event.clientY };
    this._timer = setTimeout(() => {
      this._hold(key);
    }, HOLD_TIME);
  }

  private _pointerup(): void {
    this._endHold();
    if (this._drag.drop()) this._held = true;
  }

  private _pointercancel(): void {
    this._endHold();
    this._drag.end();
  }

  private _pointermove(event: PointerEvent): void {
    this._drag.move(event);
    if (!this._start) return;
    const { x, y } = this._start;
    const distance = Math.hypot(event.clientX - x, event.clientY - y);
    if (distance > HOLD_DISTANCE) this._endHold();
  }

  private _endHold(): void {
    clearTimeout(this._timer);
    this._start = undefined;
  }

  /** Hold a key, unless it was by what led to this event as well. */
  private _hold(key: string): void {
    this._endHold();
    if (this._held || this.arranging) return;
    this._held = true;
    this._fire("key-hold", key);
  }

  private _contextmenu(event: MouseEvent): void {
    const key = found(event, "button.key")?.dataset["key"];
    if (key === undefined) return;
    event.preventDefault();
    this._hold(key);
  }

  private _keydown(event: KeyboardEvent): void {
    const button = found(event, "button.key");
    const name = button?.dataset["key"];
    if (!button || name === undefined) return;
    if (!event.repeat) this._held = false;
    if (
      event.key === "ContextMenu" ||
      (event.key === "F10" && event.shiftKey)
    ) {
      event.preventDefault();
      this._hold(name);
      return;
    }
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.repeat && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault(); // a key that is kept down is one press
      return;
    }
    if (this._move(event.key, groupOf(button), name)) event.preventDefault();
  }

  /** Move the focus by a key; return whether the key does that. */
  private _move(pressed: string, group: number, name: string): boolean {
    const page = this._page(group);
    const used = this._usedKeys(page);
    const at = used.indexOf(name);
    if (pressed === "PageUp" || pressed === "PageDown") {
      const next = page.page + (pressed === "PageUp" ? -1 : 1);
      if (this._turn(group, next)) {
        const keys = this._usedKeys(this._page(group));
        this._focusKey(group, keys[Math.min(at, keys.length - 1)]);
      }
      return page.pages > 1;
    }
    if (pressed === "Home") this._focusKey(group, used[0]);
    else if (pressed === "End") this._focusKey(group, used.at(-1));
    else {
      const columns = this.face?.groups[group]?.columns ?? 1;
      const step = STEPS[pressed]?.(columns);
      if (step === undefined) return false;
      const next = this._next(page, page.keys.indexOf(name), step, columns);
      this._focusKey(group, next ?? used[at + Math.sign(step)]);
    }
    return true;
  }

  /** Return the next key in a direction, past those that are not used. */
  private _next(
    { keys }: Page,
    from: number,
    step: number,
    columns: number
  ): string | undefined {
    const row = Math.floor(from / columns);
    for (let at = from + step; at >= 0 && at < keys.length; at += step) {
      const isInRow = Math.floor(at / columns) === row;
      if (Math.abs(step) < columns && !isInRow) return undefined;
      const name = keys[at];
      if (name !== undefined && this._isShown(this._keys.get(name))) {
        return name;
      }
    }
    return undefined;
  }
}

/** How far the arrows go, by the number of columns. A phone is not mirrored. */
const STEPS: Record<string, (columns: number) => number> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
};

const URGENCY = ["fast", "medium", "slow", "steady"];

const byUrgency = (one: KeyFace, other: KeyFace): number =>
  URGENCY.indexOf(one.pattern) - URGENCY.indexOf(other.pattern);

/** Whether a key has a use, or shows something without one. */
const isUsed = (key: KeyFace | undefined): key is KeyFace =>
  key !== undefined &&
  (key.kind !== "none" || key.pattern !== "dark" || key.label !== "");

/** Return where the cap is: outside of a display, and inside of paper labels. */
const sideOf = (group: KeyGroup, columns: number, column: number): Side => {
  if (columns > 2 || group.kind === "generic") return "above";
  const isLeft = columns === 2 ? column === 0 : group.kind === "paper";
  const isPaper = group.kind === "paper" && columns === 2;
  return isLeft === isPaper ? "end" : "start";
};

const groupOf = (button: HTMLElement): number =>
  Number(button.closest<HTMLElement>("[data-group]")?.dataset["group"]);

const found = (event: Event, selector: string): HTMLElement | null =>
  event.target instanceof Element
    ? event.target.closest<HTMLElement>(selector)
    : null;

declare global {
  interface HTMLElementTagNameMap {
    "snom-phone-face": FaceView;
  }
}
