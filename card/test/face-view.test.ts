/* eslint-disable no-await-in-loop -- one thing after the other */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import "../src/main";
import type { KeyGroup, Pattern, PhoneFace, Status } from "../src/face";
import type { FaceView } from "../src/face-view";
import { FACE, keyFace, violations } from "./support";

const group = (changes: Partial<KeyGroup> = {}): KeyGroup => ({
  kind: "screen",
  module: null,
  columns: 2,
  rows: 2,
  keys: ["1", "3", "2", "4"],
  ...changes,
});

/** Return keys with these names, each with the label `Key N`. */
const keys = (...names: string[]): PhoneFace["keys"] =>
  names.map((name) => keyFace(name, { label: `Label ${name}` }));

const settled = async (view: FaceView): Promise<void> => {
  while (!(await view.updateComplete));
};

/** Return what axe finds, which needs real timers. */
const faults = (view: FaceView): Promise<string[]> => {
  vi.useRealTimers();
  return violations(view);
};

let fired: string[];

const draw = async (changes: Partial<PhoneFace> = {}): Promise<FaceView> => {
  const view = document.createElement("snom-phone-face");
  view.language = "en";
  view.face = {
    ...FACE,
    groups: [group()],
    keys: keys("1", "2", "3", "4"),
    ...changes,
  };
  for (const type of ["key-press", "key-hold"]) {
    view.addEventListener(type, (event) => {
      fired.push(`${type} ${(event as CustomEvent<string>).detail}`);
    });
  }
  document.body.append(view);
  await settled(view);
  return view;
};

const all = (view: FaceView, selector: string): HTMLElement[] => [
  ...(view.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? []),
];

const one = (view: FaceView, selector: string): HTMLElement => {
  const [element] = all(view, selector);
  if (!element) throw new Error(`There is no ${selector}`);
  return element;
};

const keyOf = (view: FaceView, name: string): HTMLElement =>
  one(view, `button[data-key="${name}"]`);

const names = (view: FaceView): string[] =>
  all(view, ".key").map(({ dataset }) => dataset["key"] ?? "");

const texts = (view: FaceView, selector: string): string[] =>
  all(view, selector).map((it) =>
    it.textContent.replaceAll(/\s+/g, " ").trim()
  );

const words = (view: FaceView, name: string): string =>
  keyOf(view, name).getAttribute("aria-label") ?? "";

/** Return the name of the key that has the focus. */
const focused = (view: FaceView): string | undefined =>
  (view.shadowRoot?.activeElement as HTMLElement | null)?.dataset["key"];

const send = (
  target: HTMLElement,
  type: string,
  {
    as = MouseEvent,
    ...init
  }: Record<string, unknown> & {
    as?: typeof MouseEvent | typeof KeyboardEvent | typeof PointerEvent;
  } = {}
): Event => {
  const event = new as(type, {
    bubbles: true,
    cancelable: true,
    composed: true,
    ...init,
  });
  target.dispatchEvent(event);
  return event;
};

const type = async (
  view: FaceView,
  key: string,
  init: Record<string, unknown> = {}
): Promise<Event> => {
  const target = view.shadowRoot?.activeElement as HTMLElement;
  const event = send(target, "keydown", { as: KeyboardEvent, key, ...init });
  await settled(view);
  return event;
};

const point = (
  target: HTMLElement,
  name: string,
  init: Record<string, unknown> = {}
): Event => send(target, name, { as: PointerEvent, button: 0, ...init });

beforeEach(() => {
  fired = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("drawing", () => {
  test.each([
    ["screen", 2, "screen beside", ["start", "end", "start", "end"]],
    ["paper", 2, "paper beside", ["end", "start", "end", "start"]],
    ["screen", 1, "screen beside single", ["end", "end"]],
    ["paper", 1, "paper beside single", ["start", "start"]],
    ["generic", 4, "generic tiles", ["above", "above", "above", "above"]],
    ["screen", 3, "screen tiles", ["above", "above", "above", "above"]],
  ] as const)(
    "%s labels in %i columns",
    async (kind, columns, classes, sides) => {
      const view = await draw({ groups: [group({ kind, columns })] });
      expect(one(view, ".keys").className.trim()).toBe(`keys ${classes}`);
      const drawnSides = all(view, ".key").map((key) =>
        ["start", "end", "above"].find((it) => key.classList.contains(it))
      );
      expect(drawnSides).toEqual(sides);
      expect(texts(view, ".note")).toEqual(
        kind === "generic"
          ? [
              "It is not known where these keys are. They are drawn in their order.",
            ]
          : []
      );
      expect(await faults(view)).toEqual([]);
    }
  );

  test("the rows of a group, with its modules and the rest after it", async () => {
    const view = await draw({
      groups: [
        group(),
        group({ module: "D7", keys: ["5", "6"] }),
        group({ kind: "generic", columns: 4, keys: ["7"] }),
      ],
      keys: keys("1", "2", "3", "4", "5", "6", "7"),
    });
    expect(names(view)).toEqual(["1", "3", "2", "4", "5", "6", "7"]);
    const grids = all(view, "[role=grid]");
    expect(grids.map((grid) => grid.getAttribute("aria-label"))).toEqual([
      "Keys of the phone",
      "Expansion module D7",
      "More keys",
    ]);
    expect(texts(view, ".module > p")).toEqual([
      "Expansion module D7",
      "More keys",
    ]);
    expect(all(view, "[role=row]").length).toBe(4);
    expect(await faults(view)).toEqual([]);
  });

  test("draws 24 and 48 keys with modules of 48", async () => {
    const numbers = Array.from({ length: 96 }, (_, at) => `${at + 1}`);
    const view = await draw({
      groups: [
        group({ columns: 4, rows: 12, keys: numbers.slice(0, 48) }),
        group({ columns: 4, rows: 12, module: "D7C", keys: numbers.slice(48) }),
      ],
      keys: keys(...numbers),
    });
    expect(names(view)).toEqual(numbers);
  });

  test("keys without a use are quiet, and what shows without one is not", async () => {
    const view = await draw({
      groups: [group({ keys: ["1", "2", "3", "9"] })],
      keys: [
        keyFace("1", { kind: "none" }),
        keyFace("2", { kind: "none", pattern: "steady" }),
        keyFace("3", { kind: "none", label: "Written" }),
      ],
    });
    const unused = all(view, ".unused").map(({ dataset }) => dataset["key"]);
    expect(unused).toEqual(["1", "9"]);
    expect(all(view, "button.key").length).toBe(2);
  });

  test("says that no key is set up", async () => {
    const view = await draw({ keys: [] });
    expect(texts(view, ".note")).toEqual(["No key is set up."]);
    const empty = await draw({ keys: [], groups: [] });
    expect(texts(empty, ".note")).toEqual(["No key is set up."]);
    expect(await faults(empty)).toEqual([]);
  });

  test.each([
    ["dark", "lamp off", 0],
    ["steady", "lamp on, red", 0],
    ["slow", "lamp blinks slowly, red", 1],
    ["medium", "lamp blinks, red", 2],
    ["fast", "lamp blinks fast, red", 3],
  ] as const)("a lamp that is %s", async (pattern, said, bars) => {
    const view = await draw({
      keys: [keyFace("1", { label: "Door", pattern, color: "#ff453a" })],
    });
    const lit = all(view, ".keys .lit");
    expect(lit.map((it) => it.getAttribute("class"))).toEqual(
      pattern === "dark" ? [] : [`lit ${pattern}`]
    );
    for (const lamp of lit) expect(lamp.getAttribute("fill")).toBe("#ff453a");
    // without motion
    const [mark] = all(view, ".mark");
    expect(mark?.getAttribute("d")?.match(/M/g)?.length ?? 0).toBe(bars);
    expect(words(view, "1")).toBe(`Key 1, Door, ${said}`);
  });

  test.each([
    ["#ff453a", "red"],
    ["#30d158", "green"],
    ["#ff9f0a", "orange"],
    ["#ffee00", "yellow"],
    ["#00ffff", "turquoise"],
    ["#0000ff", "blue"],
    ["#8000ff", "violet"],
    ["#ff00cc", "pink"],
    ["#ff0010", "red"],
    ["#ffffff", "white"],
    ["#000000", "white"],
  ])("the colour %s is %s in words", async (color, name) => {
    const view = await draw({
      keys: [keyFace("1", { pattern: "steady", color })],
    });
    expect(words(view, "1")).toBe(`Key 1, lamp on, ${name}`);
  });

  test("all lamps blink at the rates of the phone, at the same time", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => Date.now());
    vi.setSystemTime(0);
    const first = await draw();
    vi.advanceTimersByTime(2100);
    const second = await draw();
    const patterns = ["slow", "medium", "fast"];
    const lit = (view: FaceView): string =>
      patterns.filter((it) => !view.hasAttribute(`${it}-dark`)).join(" ");
    const seen: string[] = [];
    for (let quarter = 0; quarter < 8; quarter += 1) {
      expect(lit(second)).toBe(lit(first));
      seen.push(lit(first));
      vi.advanceTimersByTime(250);
    }
    expect(seen).toEqual([
      "slow medium fast",
      "slow medium",
      "slow fast",
      "slow",
      "medium fast",
      "medium",
      "fast",
      "",
    ]);
    first.remove();
    vi.advanceTimersByTime(250);
    expect(lit(second)).toBe("slow medium");
    second.remove();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("shows caller, messages, the holder of a line and a second press", async () => {
    const view = await draw({
      keys: [
        keyFace("1", { label: "Anna", caller: "Bob", waiting: "2/1" }),
        keyFace("2", { label: "Line", held_by: "Hall", kind: "shared" }),
        keyFace("3", { label: "Line", held_by: "", kind: "shared" }),
        keyFace("4", { label: "Gate", confirming: true }),
      ],
    });
    expect(texts(view, ".news")).toEqual([
      "2/1 call: Bob",
      "held by Home Assistant",
      "held by Hall",
      "Press again",
    ]);
    expect(words(view, "1")).toBe(
      "Key 1, Anna, lamp off, call: Bob, 2 new, 1 old messages"
    );
    expect(words(view, "4")).toBe("Key 4, Gate, lamp off, Press again");
    expect(await faults(view)).toEqual([]);
  });

  test("texts may be of either direction", async () => {
    const view = await draw({
      name: "مطبخ",
      keys: [keyFace("1", { label: "باب", caller: "علي" })],
    });
    for (const selector of ["h2", ".name", ".news span"]) {
      expect(one(view, selector).getAttribute("dir")).toBe("auto");
    }
  });
});

describe("states", () => {
  test.each([
    ["in_sync", []],
    ["refusing", ["The phone refuses what its keys should show"]],
    ["silent", ["The phone does not answer"]],
    ["absent", ["The phone is not registered"]],
  ] as const)("%s", async (status, said) => {
    const view = await draw({ status });
    expect(texts(view, ".problem")).toEqual(said);
    expect(one(view, ".phone").classList.contains(status)).toBe(true);
    expect(await faults(view)).toEqual([]);
  });

  test("is behind after a while only, and then says which keys lack", async () => {
    const lacking = { label: "Door", lacking: true };
    const view = await draw({
      status: "behind",
      keys: [keyFace("1", lacking), keyFace("2")],
    });
    vi.advanceTimersByTime(1999);
    await settled(view);
    expect(texts(view, ".problem, .news, .said")).toEqual([""]);
    vi.advanceTimersByTime(1);
    await settled(view);
    expect(texts(view, ".problem, .news, .said")).toEqual([
      "The phone is not up to date yet",
      "not yet on the phone",
      "The phone is not up to date yet",
    ]);
    expect(words(view, "1")).toBe(
      "Key 1, Door, lamp off, not yet on the phone"
    );
    view.face = { ...FACE, status: "in_sync", keys: keys("1") };
    await settled(view);
    expect(texts(view, ".problem, .said")).toEqual(["The phone is up to date"]);
  });

  test("changes of a moment are not said, nor lamps that blink", async () => {
    const view = await draw();
    const face = { ...FACE, groups: [group()] };
    const sets: [Status, Pattern][] = [
      ["behind", "fast"],
      ["in_sync", "slow"],
      ["behind", "dark"],
      ["in_sync", "fast"],
    ];
    for (const [status, pattern] of sets) {
      view.face = { ...face, status, keys: [keyFace("1", { pattern })] };
      await settled(view);
      vi.advanceTimersByTime(1000);
      await settled(view);
      expect(texts(view, ".said")).toEqual([""]);
    }
  });

  test("says politely what is new", async () => {
    const view = await draw();
    const { face } = view;
    if (!face) throw new Error("no face");
    expect(one(view, ".said").getAttribute("role")).toBe("status");
    const said: string[] = [];
    const changes: Partial<PhoneFace>[] = [
      { status: "absent" },
      { messages: { new: 1, old: 0 } },
      { messages: { new: 0, old: 1 } },
      { keys: [keyFace("1", { label: "Gate", confirming: true })] },
      { status: "in_sync" },
    ];
    for (const change of changes) {
      view.face = { ...(view.face ?? face), ...change };
      await settled(view);
      said.push(...texts(view, ".said"));
    }
    expect(said).toEqual([
      "The phone is not registered",
      "1 new, 0 old messages",
      "",
      "Gate: Press again",
      "The phone is up to date",
    ]);
    view.stopped = true;
    await settled(view);
    expect(texts(view, ".problem, .said")).toEqual([
      "The server of this phone is stopped",
      "The server of this phone is stopped",
    ]);
  });

  test.each([
    [null, [], 0],
    [{ new: 0, old: 0 }, [], 0],
    [{ new: 0, old: 3 }, ["0 new, 3 old messages"], 0],
    [{ new: 2, old: 3 }, ["2 new, 3 old messages"], 1],
  ])("the message lamp for %j", async (messages, said, lit) => {
    const view = await draw({ messages });
    expect(texts(view, ".messages")).toEqual(said);
    expect(all(view, ".message-lamp .lit").length).toBe(lit);
  });

  test("says who may not press, and does not press", async () => {
    const view = await draw({ may: { press: false, arrange: false } });
    expect(texts(view, ".note")).toEqual([
      "You may see this phone, but not press its keys.",
    ]);
    const key = keyOf(view, "1");
    expect(key.getAttribute("aria-disabled")).toBe("true");
    expect(words(view, "1")).toMatch(/, cannot be pressed$/);
    key.click();
    send(key, "contextmenu");
    expect(fired).toEqual(["key-hold 1"]);
    expect(await faults(view)).toEqual([]);
  });

  test("a key that cannot be pressed is not", async () => {
    const view = await draw({ keys: [keyFace("1", { pressable: false })] });
    keyOf(view, "1").click();
    expect(fired).toEqual([]);
    expect(words(view, "1")).toMatch(/, cannot be pressed$/);
  });
});

describe("pages", () => {
  const paged = (): Partial<PhoneFace> => ({
    groups: [group({ rows: 1, keys: ["1", "2", "3", "4", "5", ""] })],
    keys: [
      ...keys("1", "2", "3"),
      keyFace("4", { pattern: "steady", color: "#30d158" }),
      keyFace("5", { pattern: "fast", color: "#ff453a" }),
    ],
  });

  test("turn by a click, and mark what is lit on others", async () => {
    const view = await draw(paged());
    expect(names(view)).toEqual(["1", "2"]);
    const [first, second, third] = all(view, ".tab");
    const labels = [first, second, third].map((it) =>
      it?.getAttribute("aria-label")
    );
    expect(labels).toEqual(["Page 1", "Page 2: 1 lit", "Page 3: 1 lit"]);
    expect(first?.getAttribute("aria-current")).toBe("page");
    const lamp = third?.querySelector(".lit");
    expect(lamp?.getAttribute("class")).toBe("lit fast");
    expect(lamp?.getAttribute("fill")).toBe("#ff453a");
    expect(await faults(view)).toEqual([]);
    third?.click();
    await settled(view);
    expect(names(view)).toEqual(["5", ""]);
    expect(texts(view, ".said")).toEqual(["Page 3"]);
    expect(all(view, ".tab").map((it) => !!it.querySelector(".lit"))).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("have the lamp of their key that blinks fastest", async () => {
    const long = group({ keys: ["1", "", "", "", "2", "3", "4"] });
    const patterns = ["dark", "steady", "fast", "slow"] as const;
    const view = await draw({
      groups: [long],
      keys: patterns.map((pattern, at) => keyFace(`${at + 1}`, { pattern })),
    });
    const lamp = all(view, ".tab")[1]?.querySelector(".lit");
    expect(lamp?.getAttribute("class")).toBe("lit fast");
  });

  test("turn by the keyboard, which keeps the place of the focus", async () => {
    const view = await draw(paged());
    keyOf(view, "2").focus();
    await type(view, "PageDown");
    expect(focused(view)).toBe("4");
    await type(view, "PageDown");
    expect(focused(view)).toBe("5");
    await type(view, "PageDown");
    expect(names(view)).toEqual(["5", ""]);
    await type(view, "PageUp");
    expect(focused(view)).toBe("3");
  });

  test("that are gone are not shown", async () => {
    const view = await draw(paged());
    all(view, ".tab")[2]?.click();
    await settled(view);
    view.face = { ...FACE, groups: [group()], keys: keys("1", "2") };
    await settled(view);
    expect(names(view)).toEqual(["1", "3", "2", "4"]);
    expect(all(view, ".tab")).toEqual([]);
  });
});

describe("keyboard", () => {
  test("one key is in the order of Tab, and arrows go over the keys", async () => {
    const view = await draw();
    const inOrder = (): string[] =>
      all(view, "button.key")
        .filter((key) => key.getAttribute("tabindex") === "0")
        .map(({ dataset }) => dataset["key"] ?? "");
    expect(inOrder()).toEqual(["1"]);
    keyOf(view, "1").focus();
    const ways = [
      ["ArrowRight", "3"],
      ["ArrowDown", "4"],
      ["ArrowDown", "4"],
      ["ArrowLeft", "2"],
      ["ArrowUp", "1"],
      ["ArrowUp", "1"],
      ["End", "4"],
      ["Home", "1"],
    ] as const;
    for (const [key, name] of ways) {
      const event = await type(view, key);
      expect([key, focused(view)]).toEqual([key, name]);
      expect(event.defaultPrevented).toBe(true);
      expect(inOrder()).toEqual([name]);
    }
  });

  test("arrows reach all keys past those that are not used", async () => {
    const view = await draw({
      groups: [group({ rows: 3, keys: ["1", "", "", "2", "3", ""] })],
      keys: keys("1", "2", "3"),
    });
    keyOf(view, "1").focus();
    await type(view, "ArrowDown");
    expect(focused(view)).toBe("3");
    await type(view, "Home");
    await type(view, "ArrowRight");
    expect(focused(view)).toBe("2");
    await type(view, "ArrowUp");
    expect(focused(view)).toBe("1");
  });

  test("leaves all other keys to the browser", async () => {
    const view = await draw();
    keyOf(view, "1").focus();
    for (const [key, init] of [
      ["a", {}],
      ["Tab", {}],
      ["Enter", {}],
      ["ArrowRight", { ctrlKey: true }],
      ["PageDown", {}],
    ] as const) {
      expect((await type(view, key, init)).defaultPrevented).toBe(false);
    }
    expect(focused(view)).toBe("1");
  });

  test("a key that is kept down is one press", async () => {
    const view = await draw();
    keyOf(view, "1").focus();
    const event = await type(view, "Enter", { repeat: true });
    expect(event.defaultPrevented).toBe(true);
  });

  test.each([
    ["ContextMenu", {}],
    ["F10", { shiftKey: true }],
  ])("%s holds a key once, and the next Enter presses", async (key, init) => {
    const view = await draw();
    const button = keyOf(view, "1");
    button.focus();
    const event = await type(view, key, init);
    expect(event.defaultPrevented).toBe(true);
    send(button, "contextmenu"); // some browsers send it too
    expect(fired).toEqual(["key-hold 1"]);
    await type(view, "Enter");
    send(button, "click", { detail: 0 });
    expect(fired).toEqual(["key-hold 1", "key-press 1"]);
  });
});

describe("press", () => {
  test("a click presses", async () => {
    const view = await draw();
    const key = keyOf(view, "3");
    point(key, "pointerdown");
    vi.advanceTimersByTime(499);
    point(key, "pointerup");
    send(key, "click", { detail: 1 });
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(["key-press 3"]);
    await settled(view);
    expect(key.getAttribute("tabindex")).toBe("0");
  });

  test("a long press holds, and its click and menu do nothing", async () => {
    const view = await draw();
    const key = keyOf(view, "3");
    point(key, "pointerdown");
    vi.advanceTimersByTime(500);
    expect(fired).toEqual(["key-hold 3"]);
    expect(send(key, "contextmenu").defaultPrevented).toBe(true);
    point(key, "pointerup");
    send(key, "click", { detail: 1 });
    expect(fired).toEqual(["key-hold 3"]);
    point(key, "pointerdown");
    point(key, "pointerup");
    send(key, "click", { detail: 1 });
    expect(fired).toEqual(["key-hold 3", "key-press 3"]);
  });

  test.each([
    ["pointermove", { clientX: 20, clientY: 0 }],
    ["pointercancel", {}],
  ])("%s ends a long press before its time", async (name, init) => {
    const view = await draw();
    const key = keyOf(view, "3");
    point(key, "pointerdown", { clientX: 0, clientY: 0 });
    point(key, "pointermove", { clientX: 3, clientY: 3 });
    point(key, name, init);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
  });

  test("a drawing that is gone holds nothing", async () => {
    const view = await draw();
    point(keyOf(view, "3"), "pointerdown");
    view.remove();
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
  });

  test("a right click holds", async () => {
    const view = await draw();
    point(keyOf(view, "3"), "pointerdown", { button: 2 });
    send(keyOf(view, "3"), "contextmenu", { button: 2 });
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(["key-hold 3"]);
  });

  test("a menu of the keyboard holds after a long press without a click", async () => {
    const view = await draw();
    const key = keyOf(view, "3");
    point(key, "pointerdown");
    vi.advanceTimersByTime(500);
    point(one(view, ".phone"), "pointerleave");
    key.focus();
    await type(view, "ContextMenu");
    expect(fired).toEqual(["key-hold 3", "key-hold 3"]);
  });

  test("nothing is held while keys are arranged", async () => {
    const view = await draw();
    view.arranging = true;
    await settled(view);
    point(keyOf(view, "3"), "pointerdown", { button: 2 });
    send(keyOf(view, "3"), "contextmenu", { button: 2 });
    keyOf(view, "3").focus();
    await type(view, "ContextMenu");
    expect(fired).toEqual([]);
  });

  test("beside the keys there is nothing to press", async () => {
    const view = await draw({ keys: keys("1") });
    for (const target of [one(view, ".unused"), one(view, "h2")]) {
      point(target, "pointerdown");
      vi.advanceTimersByTime(1000);
      send(target, "click", { detail: 1 });
      expect(send(target, "contextmenu").defaultPrevented).toBe(false);
      send(target, "keydown", { as: KeyboardEvent, key: "Enter" });
    }
    expect(fired).toEqual([]);
  });
});

test("only keys that have changed are drawn again", async () => {
  const view = await draw();
  const { face } = view;
  if (!face) throw new Error("no face");
  const touched = new Set<string>();
  const observer = new MutationObserver((records) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      touched.add(element?.closest<HTMLElement>(".key")?.dataset["key"] ?? "");
    }
  });
  observer.observe(one(view, ".keys"), {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  const changed = keyFace("2", { label: "Label 2", pattern: "fast" });
  view.face = {
    ...face,
    keys: face.keys.map((key) => (key.key === "2" ? changed : key)),
  };
  await settled(view);
  vi.useRealTimers();
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
  observer.disconnect();
  expect([...touched]).toEqual(["2"]);
});
