/** The parts of the drawing that no state changes, and the cap of a key with its lamp. */
import { html, nothing, svg, type TemplateResult } from "lit";
import type { KeyFace, Pattern } from "./face";

/** A handset on its rest, seen from above, and the loudspeaker below it. */
export const HANDSET = html`<svg
    class="handset"
    viewBox="0 0 64 270"
    aria-hidden="true"
  >
    <defs>
      <linearGradient id="round">
        <stop offset="0" stop-color="#50575f" />
        <stop offset="0.3" stop-color="#454c54" />
        <stop offset="0.75" stop-color="#2b3036" />
        <stop offset="1" stop-color="#1d2126" />
      </linearGradient>
    </defs>
    <rect class="rest" x="1" y="1" width="62" height="268" rx="17" />
    <path
      class="shadow"
      d="M11 24Q11 11 24 11H44Q57 11 57 24V74Q57 86 49 92V180Q57 186 57 198V250Q57 263 44 263H24Q11 263 11 250V198Q11 186 19 180V92Q11 86 11 74Z"
    />
    <path
      fill="url(#round)"
      d="M7 21Q7 8 20 8H42Q55 8 55 21V72Q55 84 47 90V176Q55 182 55 194V246Q55 259 42 259H20Q7 259 7 246V194Q7 182 15 176V90Q7 84 7 72Z"
    />
    <path class="shine" d="M14 24Q14 14 23 14M21 92V174M14 240V198" />
  </svg>
  <div class="speaker"></div>`;

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/** The keys for numbers and the ring to navigate, which only are there to be recognised. */
export const DIAL = html`<svg
  class="dial"
  viewBox="0 0 250 78"
  aria-hidden="true"
>
  <circle class="pad" cx="38" cy="39" r="29" />
  <circle class="well" cx="38" cy="39" r="13" />
  <circle class="pad" cx="38" cy="39" r="10" />
  <path
    class="sign"
    d="M34 18l4-4l4 4M34 60l4 4l4-4M17 35l-4 4l4 4M59 35l4 4l-4 4"
  />
  ${DIGITS.map((digit, at) => {
    const x = 90 + (at % 3) * 36;
    const y = 3 + Math.floor(at / 3) * 19;
    return svg`<rect class="pad" x=${x} y=${y} width="30" height="15" rx="4" /><text
      x=${x + 15} y=${y + 11}>${digit}</text>`;
  })}
  ${[3, 22, 41, 60].map(
    (y) =>
      svg`<rect class="pad" x="210" y=${y} width="36" height="15" rx="7.5" />`
  )}
  <path class="sign" d="M222 13.500v-3h3l3-3v9l-3-3z" />
  <path
    class="sign"
    d="M223 29.500h10M228 26v7M223 48.500h10M225 64.500l6 6M231 64.500l-6 6"
  />
</svg>`;

/** The bars on a lamp that may not blink. */
const MARKS: Partial<Record<Pattern, string>> = {
  slow: "M22 7V19",
  medium: "M19 7V19M25 7V19",
  fast: "M17 7V19M22 7V19M27 7V19",
};

/** Return the cap of a key with its lamp in it. */
export const cap = (key: KeyFace | undefined): TemplateResult =>
  html`<svg class="cap" viewBox="0 0 44 26" aria-hidden="true">
    <rect class="side" x="0.5" y="1.5" width="43" height="24" rx="6" />
    <rect class="top" x="0.5" y="0.5" width="43" height="23" rx="6" />
    <rect class="lens" x="12" y="8" width="20" height="9" rx="4.5" />
    ${key && key.pattern !== "dark" ? lamp(key) : nothing}
  </svg>`;

const lamp = ({ pattern, color }: KeyFace): TemplateResult => svg`
  <g class="lit ${pattern}" fill=${color}>
    <rect fill-opacity="0.14" x="5" y="1.5" width="34" height="22" rx="11" />
    <rect fill-opacity="0.28" x="8.5" y="4.5" width="27" height="16" rx="8" />
    <rect class="light" x="12" y="8" width="20" height="9" rx="4.5" />
    <rect class="gleam" x="15" y="9.5" width="14" height="2.5" rx="1.25" />
  </g>
  ${MARKS[pattern] ? svg`<path class="mark" d=${MARKS[pattern]} />` : nothing}
`;

const icon = (name: string, path: string): TemplateResult =>
  html`<svg class="icon ${name}" viewBox="0 0 16 16" aria-hidden="true">
    <path d=${path} />
  </svg>`;

export const ENVELOPE = icon(
  "envelope",
  "M1.5 3.500h13v9h-13zM1.5 4l6.5 5l6.5-5"
);
export const WARNING = icon("warning", "M8 1.500L15 14H1zM8 6v4M8 11.500v1");
export const CLOCK = icon("clock", "M8 1.500a6.5 6.5 0 1 0 .01 0zM8 4v4l3 2");
export const PENCIL = icon("pencil", "M2.500 13.500l1-4l7-7l3 3l-7 7zM9 4l3 3");
