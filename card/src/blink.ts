/**
 * The clock by which lamps blink: all of a page that blink at one rate are lit at the
 * same time. It is one timer, because a browser draws hundreds of CSS animations slowly.
 */

/** The half periods of the phone in milliseconds. */
const HALF_PERIODS = { slow: 1000, medium: 500, fast: 250 };

/** The attribute of a drawing while its lamps of a pattern are dark. */
const ATTRIBUTES = Object.entries(HALF_PERIODS).map(
  ([pattern, half]) => [`${pattern}-dark`, half] as const
);

const TICK = HALF_PERIODS.fast;

const drawings = new Set<Element>();

let timer: ReturnType<typeof setTimeout> | undefined;

/** Let the lamps of a drawing blink. */
export const startBlinking = (drawing: Element): void => {
  drawings.add(drawing);
  set(drawing, performance.now());
  if (timer === undefined) schedule();
};

export const stopBlinking = (drawing: Element): void => {
  drawings.delete(drawing);
  if (drawings.size) return;
  clearTimeout(timer);
  timer = undefined;
};

const schedule = (): void => {
  timer = setTimeout(tick, TICK - (performance.now() % TICK));
};

const tick = (): void => {
  // A timer may come a little early, which is the turn that it was set for.
  const now = performance.now() + TICK / 10;
  for (const drawing of drawings) set(drawing, now);
  schedule();
};

const set = (drawing: Element, now: number): void => {
  for (const [name, half] of ATTRIBUTES) {
    drawing.toggleAttribute(name, Math.floor(now / half) % 2 === 1);
  }
};
