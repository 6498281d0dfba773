/** Pixels that a pointer moves before it drags a key. */
const DISTANCE = 8;

/** A drag of a key onto another one, by mouse, pen or finger. */
export class KeyDrag {
  private _from: HTMLElement | undefined;

  private _target: HTMLElement | undefined;

  private _start = { x: 0, y: 0 };

  private _isDragging = false;

  constructor(
    private readonly _root: () => DocumentOrShadowRoot | null,
    private readonly _dropped: (from: string, to: string) => void
  ) {}

  begin(button: HTMLElement, event: PointerEvent): void {
    this.end();
    if (event.button !== 0) return;
    this._from = button;
    this._start = { x: event.clientX, y: event.clientY };
    // A finger is captured by what it touches first.
    if (button.hasPointerCapture(event.pointerId)) {
      button.releasePointerCapture(event.pointerId);
    }
  }

  move(event: PointerEvent): void {
    if (!this._from) return;
    const x = event.clientX - this._start.x;
    const y = event.clientY - this._start.y;
    if (!this._isDragging && Math.hypot(x, y) < DISTANCE) return;
    this._isDragging = true;
    this._from.dataset["drag"] = "from";
    this._from.style.translate = `${x}px ${y}px`;
    const under = this._root()
      ?.elementFromPoint(event.clientX, event.clientY)
      ?.closest<HTMLElement>("button.key");
    this._mark(under === this._from ? undefined : (under ?? undefined));
  }

  /** Drop the key; return whether it was dragged, so that no click is meant. */
  drop(): boolean {
    const wasDragging = this._isDragging;
    const from = this._from?.dataset["key"];
    const to = this._target?.dataset["key"];
    this.end();
    if (from !== undefined && to !== undefined) this._dropped(from, to);
    return wasDragging;
  }

  /** Put the key back. */
  end(): void {
    if (this._from) {
      delete this._from.dataset["drag"];
      this._from.style.translate = "";
    }
    this._mark(undefined);
    this._from = undefined;
    this._isDragging = false;
  }

  private _mark(target: HTMLElement | undefined): void {
    if (this._target === target) return;
    if (this._target) delete this._target.dataset["drag"];
    if (target) target.dataset["drag"] = "to";
    this._target = target;
  }
}
