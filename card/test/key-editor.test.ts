import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/main";
import type { FormField, KeyForm, KeyValues } from "../src/arrange";
import type { FaceView } from "../src/face-view";
import type { PhoneCard } from "../src/phone-card";
import { FACE, Server, keyFace, violations } from "./support";

/** What the editor uses of Home Assistant's form. */
class FakeForm extends HTMLElement {
  data!: Record<string, unknown>;

  schema!: FormField[];

  error!: Record<string, string>;

  computeLabel!: (field: FormField) => string;

  computeHelper!: (field: FormField) => string | undefined;

  computeError!: (error: string) => string;

  /** Change values as a user does. */
  change(values: Record<string, unknown>): void {
    const value = { ...this.data, ...values };
    this.dispatchEvent(new CustomEvent("value-changed", { detail: { value } }));
  }
}

const field = (name: string, kind: FormField["kind"] = null): FormField => ({
  name,
  label: `The ${name}`,
  help: name === "name" ? "Help" : "",
  kind,
  required: false,
  selector: { text: {} },
});

const values = (
  key: string,
  settings: Record<string, unknown> = {},
  others: Partial<KeyValues> = {}
): KeyValues => ({
  key,
  settings: { name: "", kind: "light", ...settings },
  has_code: false,
  line: null,
  ...others,
});

const FORM: KeyForm = {
  form: [
    field("name"),
    { ...field("kind"), selector: { select: { options: [] } } },
    field("follows", "linked"),
    field("code", "linked"),
    field("toggle", "switch"),
  ],
  keys: [
    values("1"),
    values("2", { kind: "linked", follows: "lock.door" }, { has_code: true }),
    values("3", {}, { line: "Gate" }),
    values("4", { kind: "none" }),
  ],
};

const PHONE = {
  ...FACE,
  may: { press: true, arrange: true },
  keys: [
    keyFace("1"),
    keyFace("2"),
    keyFace("3"),
    keyFace("4", { kind: "none" }),
  ],
} as const;

let server: Server;
let card: PhoneCard;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  if (!customElements.get("ha-form")) {
    customElements.define("ha-form", FakeForm);
  }
  server = new Server();
  server.form = FORM;
  card = document.createElement("snom-phone-card");
  card.setConfig({ type: "custom:snom-phone-card", device_id: "device" });
  card.hass = server.hass();
  document.body.append(card);
  await settled();
  server.send({ phone: { ...PHONE, keys: [...PHONE.keys] } });
  await settled();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** Wait until all is drawn and asked that is due. */
const settled = async (time = 1000): Promise<void> => {
  await vi.advanceTimersByTimeAsync(time);
  await card.updateComplete;
  await vi.advanceTimersByTimeAsync(0);
  await card.updateComplete;
  await vi.advanceTimersByTimeAsync(0);
};

const view = (): FaceView =>
  card.shadowRoot?.querySelector("snom-phone-face") as FaceView;

const keyOf = (name: string): HTMLButtonElement =>
  view().shadowRoot?.querySelector(
    `button[data-key="${name}"]`
  ) as HTMLButtonElement;

const pencil = (): HTMLButtonElement | null =>
  card.shadowRoot?.querySelector(".foot button") ?? null;

const editor = (): ShadowRoot | null | undefined =>
  card.shadowRoot?.querySelector("snom-key-editor")?.shadowRoot;

const form = (): FakeForm => editor()?.querySelector("ha-form") as FakeForm;

/** The form behind *More*. */
const more = (): FakeForm =>
  editor()?.querySelector("details ha-form") as FakeForm;

/** The names of the fields before *More*, and behind it. */
const names = (): string[][] =>
  [form(), more()].map(({ schema }) => schema.map(({ name }) => name));

const button = (name: string): HTMLButtonElement =>
  [...(editor()?.querySelectorAll("button") ?? [])].find(
    (it) => it.textContent.trim() === name
  ) as HTMLButtonElement;

const said = (selector = "[role=alert]"): string =>
  editor()?.querySelector(selector)?.textContent.trim() ?? "";

/** Choose a key while keys are arranged. */
const choose = async (name: string): Promise<void> => {
  if (!card.arranging) pencil()?.click();
  await settled();
  keyOf(name).click();
  await settled();
};

const commands = (): unknown[] =>
  server.asked.map(
    ({ type: _, device_id: __, language: ___, ...rest }) => rest
  );

test("a key is pressed until the pencil is on, and then arranged", async () => {
  keyOf("1").click();
  await settled();
  expect(server.calls.length).toBe(1);
  expect(keyOf("4")).toBeNull();
  pencil()?.click();
  await settled();
  expect(pencil()?.getAttribute("aria-pressed")).toBe("true");
  keyOf("4").click();
  await settled();
  expect(server.calls.length).toBe(1);
  expect(keyOf("4").getAttribute("aria-pressed")).toBe("true");
  expect(keyOf("1").getAttribute("aria-label")).toBe("Arrange key 1: Key 1");
  expect(server.asked[0]).toEqual({
    type: "snom_buttons/phone/arrange",
    device_id: "device",
    language: "en",
    key: "4",
    settings: { kind: "none" },
    dry_run: true,
  });
  pencil()?.click();
  await settled();
  expect(editor()).toBeUndefined();
  expect(keyOf("4")).toBeNull();
});

test("who may not arrange has no pencil, nor an editor", async () => {
  server.send({ phone: { ...FACE } });
  card.arranging = true;
  await settled();
  expect(pencil()).toBeNull();
  keyOf("1").click();
  await settled();
  expect(server.asked).toEqual([]);
  expect(server.calls.length).toBe(1);
});

test("entity, kind and name come first, and other kinds' fields do not", async () => {
  await choose("1");
  expect(names()).toEqual([["follows", "kind", "name"], []]);
  form().change({ kind: "switch" });
  await settled();
  expect(names()[1]).toEqual(["toggle"]);
  form().change({ follows: "light.hall" });
  await settled();
  expect(form().data["kind"]).toBe("linked");
  expect(names()[1]).toEqual(["code"]);
  expect(editor()?.querySelector("summary")?.textContent).toBe("More");
  const [, kind, name] = form().schema;
  expect(kind?.required).toBe(true);
  expect(name && form().computeLabel(name)).toBe("The name");
  expect(name && form().computeHelper(name)).toBe("Help");
  expect(await axed()).toEqual([]);
});

/** Return what axe finds; it waits by timers. */
const axed = async (): Promise<string[]> => {
  vi.useRealTimers();
  return violations(card);
};

test("what the phone would show is tried after a pause, and drawn", async () => {
  await choose("1");
  const face = keyFace("1", { label: "Hall", pattern: "steady" });
  server.reply = () => Promise.resolve({ face, text: "follows Hall" });
  server.asked.length = 0;
  form().change({ follows: "light.h" });
  await settled(100);
  form().change({ follows: "light.hall" });
  await settled(100);
  expect(commands()).toEqual([]);
  await settled();
  expect(commands()).toEqual([
    {
      key: "1",
      settings: { kind: "linked", follows: "light.hall" },
      dry_run: true,
    },
  ]);
  expect(view().face?.keys[0]).toEqual(face);
  expect(said("p[role=status]")).toBe("follows Hall");
  button("Cancel").click();
  await settled();
  expect(view().face?.keys[0]).toEqual(keyFace("1"));
  expect(view().shadowRoot?.activeElement).toBe(keyOf("1"));
});

test("an old answer does not count", async () => {
  await choose("1");
  const answers: ((face: unknown) => void)[] = [];
  server.reply = () =>
    new Promise((resolve) => {
      answers.push(resolve);
    });
  form().change({ follows: "light.one" });
  await settled();
  form().change({ follows: "light.two" });
  await settled();
  answers[1]?.({ face: keyFace("1", { label: "Two" }), text: "" });
  answers[0]?.({ face: keyFace("1", { label: "One" }), text: "" });
  await settled();
  expect(view().face?.keys[0]?.label).toBe("Two");
});

test("settings are saved, and that is said", async () => {
  await choose("1");
  form().change({ follows: "light.hall", name: "Hall" });
  await settled();
  server.reply = () => Promise.resolve({ face: keyFace("1"), text: "" });
  server.asked.length = 0;
  button("Save").click();
  await settled();
  expect(commands()).toEqual([
    {
      key: "1",
      settings: { name: "Hall", kind: "linked", follows: "light.hall" },
    },
  ]);
  expect(editor()).toBeUndefined();
  const foot = card.shadowRoot?.querySelector(".foot")?.textContent ?? "";
  expect(foot).toContain("Key 1 is saved.");
});

test("a fault is beside its field, or below the form", async () => {
  await choose("1");
  form().change({ kind: "switch" });
  const fault = { field: "toggle", error: "x", text: "Key 1, Name: <b>no</b>" };
  server.reply = () => Promise.resolve({ fault });
  button("Save").click();
  await settled();
  expect(more().error).toEqual({ toggle: fault.text });
  expect(more().computeError(fault.text)).toBe(fault.text);
  expect(editor()?.querySelector("details")?.open).toBe(true);
  expect(said()).toBe("");
  const other = { ...fault, field: null };
  server.reply = () => Promise.resolve({ fault: other });
  button("Save").click();
  await settled();
  expect(more().error).toEqual({});
  expect(said()).toBe(fault.text);
  form().change({ name: "Yes" });
  server.reply = () => Promise.resolve({ face: keyFace("1"), text: "" });
  await settled();
  expect(said()).toBe("");
});

test("what another browser has changed is read, and not overwritten", async () => {
  await choose("1");
  form().change({ name: "Mine" });
  await settled();
  const theirs = values("1", { kind: "linked", follows: "cover.garage" });
  server.form = { ...FORM, keys: [theirs, ...FORM.keys.slice(1)] };
  server.asked.length = 0;
  button("Save").click();
  await settled();
  expect(commands()).toEqual([
    {
      key: "1",
      settings: { kind: "linked", follows: "cover.garage" },
      dry_run: true,
    },
  ]);
  expect(form().data["follows"]).toBe("cover.garage");
  expect(said()).toContain("changed meanwhile");
  form().change({ name: "Mine" });
  await settled();
  expect(said()).toBe("");
  button("Save").click();
  await settled();
  expect(commands().at(-1)).toEqual({
    key: "1",
    settings: { kind: "linked", follows: "cover.garage", name: "Mine" },
  });
  expect(editor()).toBeUndefined();
});

test("nothing is saved when another key is chosen before", async () => {
  await choose("1");
  form().change({ name: "Mine" });
  await settled();
  server.asked.length = 0;
  let answer: (form: unknown) => void = () => undefined;
  server.form = undefined;
  server.reply = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  button("Save").click();
  await settled();
  server.form = FORM;
  server.reply = () => Promise.resolve(null);
  await choose("2");
  answer(structuredClone(FORM));
  await settled();
  expect(
    server.asked.filter((it) => "settings" in it && !("dry_run" in it))
  ).toEqual([]);
  expect(said()).toBe("");
});

test("a key without its entity is a light, and sends no more of a link", async () => {
  await choose("2");
  form().change({ code: "1" });
  await settled();
  form().change({ follows: undefined });
  server.asked.length = 0;
  await settled();
  expect(form().data["kind"]).toBe("light");
  expect(commands()).toEqual([
    { key: "2", settings: { kind: "light" }, dry_run: true },
  ]);
});

test("an editor of a key that the phone has no more is closed", async () => {
  await choose("4");
  server.send({ phone: { ...PHONE, keys: PHONE.keys.slice(0, 3) } });
  await settled();
  expect(editor()).toBeUndefined();
});

test("a refusal is said in the user's language", async () => {
  await choose("1");
  server.reply = () =>
    Promise.reject(
      Object.assign(new Error("Refused"), {
        translation_domain: "snom_buttons",
        translation_key: "known",
        translation_placeholders: { key: "1" },
      })
    );
  button("Save").click();
  await settled();
  expect(said()).toBe("Refused: 1");
  server.form = undefined;
  await choose("2");
  expect(said()).toBe("Refused: 1");
  button("Close").click();
  await settled();
  expect(editor()).toBeUndefined();
});

test("a stored code is not sent, unless it is to be forgotten", async () => {
  await choose("2");
  expect(names()[1]).toEqual(["code", "forget_code"]);
  const send = async (): Promise<unknown> => {
    server.reply = () =>
      Promise.resolve({ fault: { field: null, error: "", text: "" } });
    server.asked.length = 0;
    button("Save").click();
    await settled();
    return server.asked[0]?.["settings"];
  };
  const usual = { kind: "linked", follows: "lock.door" };
  expect(await send()).toEqual(usual);
  form().change({ forget_code: true });
  expect(await send()).toEqual({ ...usual, code: null });
  form().change({ forget_code: true, code: "1" });
  expect(await send()).toEqual({ ...usual, code: "1" });
});

test("a key of a shared line is not arranged", async () => {
  await choose("3");
  expect(form()).toBeNull();
  expect(said("p")).toContain("belongs to the shared line Gate");
  button("Close").click();
  await settled();
  expect(editor()).toBeUndefined();
});

test("two keys are swapped by the keyboard", async () => {
  await choose("1");
  const select = editor()?.querySelector("select") as HTMLSelectElement;
  expect([...select.options].map(({ value }) => value)).toEqual(["", "2", "4"]);
  expect(button("Swap").disabled).toBe(true);
  select.value = "4";
  select.dispatchEvent(new Event("change"));
  await settled();
  server.reply = () => Promise.resolve(null);
  server.asked.length = 0;
  button("Swap").click();
  await settled();
  expect(commands()).toEqual([{ key: "1", swap_with: "4" }]);
  expect(card.shadowRoot?.querySelector(".foot")?.textContent).toContain(
    "Keys 1 and 4 are swapped."
  );
});

const pointer = (
  type: string,
  target: Element,
  x: number,
  y: number,
  pressed = 0
): void => {
  target.dispatchEvent(
    new PointerEvent(type, {
      clientX: x,
      clientY: y,
      button: pressed,
      bubbles: true,
      composed: true,
    })
  );
};

test("two keys are swapped by dragging one onto the other", async () => {
  pencil()?.click();
  await settled();
  server.reply = () => Promise.resolve(null);
  const root = view().shadowRoot as ShadowRoot;
  let under = keyOf("1");
  root.elementFromPoint = () => under;
  const drag = async (
    to: string,
    distance: number,
    end = "pointerup",
    pressed = 0
  ): Promise<void> => {
    under = keyOf(to);
    pointer("pointerdown", keyOf("1"), 0, 0, pressed);
    pointer("pointermove", keyOf("1"), 0, distance);
    pointer(end, keyOf("1"), 0, distance);
    await settled();
  };
  await drag("2", 4); // it is a click
  await drag("1", 40); // back to its place
  await drag("2", 40, "pointercancel"); // the page is scrolled
  await drag("2", 40, "pointerup", 2);
  expect(commands()).toEqual([]);
  await drag("2", 40);
  expect(commands()).toEqual([{ key: "1", swap_with: "2" }]);
  expect(keyOf("1").style.translate).toBe("");
  // The click that follows belongs to the drag.
  keyOf("1").dispatchEvent(
    new MouseEvent("click", { detail: 1, bubbles: true })
  );
  await settled();
  expect(editor()).toBeUndefined();
  const foot = card.shadowRoot?.querySelector(".foot")?.textContent;
  expect(foot).toContain("Keys 1 and 2 are swapped.");
  server.reply = () => Promise.resolve({ fault: { text: "No" } });
  await drag("2", 40);
  expect(card.shadowRoot?.querySelector(".error")?.textContent).toBe("No");
  server.reply = () => Promise.reject(new Error("Gone"));
  await drag("2", 40);
  expect(card.shadowRoot?.querySelector(".error")?.textContent).toBe("Gone");
});

test("Escape closes the editor", async () => {
  await choose("1");
  form().dispatchEvent(
    new KeyboardEvent("keydown", { key: "Escape", bubbles: true })
  );
  await settled();
  expect(editor()).toBeUndefined();
});

test("nothing is arranged while the server is stopped", async () => {
  await choose("1");
  server.send({ gone: "stopped" });
  await settled();
  expect(pencil()).toBeNull();
  expect(editor()).toBeUndefined();
});

test("an editor that is gone asks nothing more", async () => {
  await choose("1");
  server.asked.length = 0;
  form().change({ name: "x" });
  card.remove();
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.asked).toEqual([]);
});
