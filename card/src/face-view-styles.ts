import { css } from "lit";

/**
 * The body of the phone takes the colours of the theme; caps, displays and paper have
 * their own, on which lamps and texts have enough contrast in any theme.
 */
export const STYLES = css`
  :host {
    --card: var(--ha-card-background, var(--card-background-color, #fff));
    --text: var(--primary-text-color, #212121);
    --body: color-mix(in srgb, var(--card) 88%, var(--text));
    --edge: color-mix(in srgb, var(--card) 66%, var(--text));
    --display: #101820;
    --ink: #eaf2f8;
    --faint: #adc3d1;
    --warm: #ffcf70;
    --paper: #f7f3e8;
    display: block;
    container-type: inline-size;
    color: var(--text);
    font-size: 13px;
    line-height: 1.25;
  }

  h2,
  p {
    margin: 0;
    font: inherit;
  }

  svg {
    display: block;
  }

  button {
    font: inherit;
    color: inherit;
    text-align: inherit;
    border: 0;
    margin: 0;
    padding: 0;
    background: none;
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    user-select: none;
    -webkit-user-select: none;
    -webkit-touch-callout: none;
  }

  button:focus-visible {
    outline: 2px solid #fff;
    outline-offset: 0;
    box-shadow: 0 0 0 4px #0b57d0;
    border-radius: 6px;
    position: relative;
    z-index: 1;
  }

  .phone {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    justify-content: center;
    gap: 10px;
  }

  /* A phone is not mirrored where one reads from right to left. */
  .body {
    direction: ltr;
    box-sizing: border-box;
    flex: 2 1 280px;
    min-width: 0;
    max-width: 640px;
    display: flex;
    gap: 10px;
    padding: 10px;
    border-radius: 18px;
    border: 1px solid var(--edge);
    background:
      linear-gradient(#ffffff2e, #ffffff00 40%, #0000001c) padding-box,
      var(--body);
    box-shadow:
      inset 0 1px 0 #ffffff40,
      0 2px 5px #00000040;
  }

  .module {
    flex: 1 1 230px;
    max-width: 420px;
    flex-direction: column;
    gap: 8px;
    border-radius: 14px;
  }

  .left {
    flex: 0 0 34px;
    display: flex;
    flex-direction: column;
    gap: 12px;
  }

  .speaker {
    flex: 1 1 0;
    max-height: 72px;
    margin-top: auto;
    background: radial-gradient(circle, #00000073 1.6px, #0000 2px) center / 7px
      7px round;
  }

  .handset {
    width: 100%;
  }

  .rest {
    fill: #00000026;
    stroke: #00000040;
  }

  .shadow {
    fill: #00000059;
  }

  .shine {
    fill: none;
    stroke: #ffffff47;
    stroke-width: 3;
    stroke-linecap: round;
  }

  .front {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
    gap: 8px;
  }

  .display {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: center;
    gap: 2px 8px;
    padding: 8px 10px;
    border-radius: 8px;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    border: 1px solid #000;
    color: var(--ink);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  h2 {
    font-size: 16px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .display p {
    grid-column: 1 / -1;
    color: var(--faint);
    min-height: 16px;
  }

  .display .problem,
  .display .messages {
    display: flex;
    align-items: center;
    gap: 6px;
  }

  .display .problem {
    color: var(--warm);
  }

  .refusing .display .problem {
    color: #ff9d94;
  }

  .display .fresh {
    color: var(--ink);
  }

  .icon {
    flex: none;
    width: 14px;
    height: 14px;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.5;
    stroke-linejoin: round;
    stroke-linecap: round;
  }

  .message-lamp {
    width: 39px;
    height: 15px;
    overflow: visible;
  }

  .message-light {
    fill: #ff453a;
    stroke: #ff453a66;
    stroke-width: 3;
    paint-order: stroke;
  }

  .lens {
    fill: #11151a;
    stroke: #59636d;
  }

  .group {
    min-width: 0;
  }

  .row {
    display: grid;
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  }

  .cell {
    min-width: 0;
  }

  .key {
    box-sizing: border-box;
    position: relative;
    display: flex;
    align-items: center;
    width: 100%;
    height: 40px;
    gap: 6px;
  }

  .key.end {
    flex-direction: row-reverse;
  }

  .cap {
    flex: none;
    width: 44px;
    height: 26px;
    overflow: visible;
  }

  .cap .side {
    fill: #0d1013;
  }

  .cap .top {
    fill: #333a42;
    stroke: #14181c;
  }

  .key:hover .top {
    fill: #3d4650;
  }

  .key:active:not([aria-disabled="true"]) .cap {
    transform: translateY(1px);
  }

  .key[aria-disabled="true"] {
    cursor: default;
  }

  .key[aria-disabled="true"] .side {
    opacity: 0;
  }

  .key[aria-disabled="true"] .top {
    fill: #24292e;
  }

  .confirming .top {
    stroke: var(--warm);
    stroke-width: 2.5;
  }

  .lacking .lens {
    stroke: var(--warm);
    stroke-dasharray: 3 2;
  }

  .light {
    stroke: #ffffffb0;
    stroke-width: 0.8;
  }

  .gleam {
    fill: #ffffff80;
  }

  .label {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
  }

  /* Two lines, or one above the news. */
  .name {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
    overflow-wrap: anywhere;
  }

  .name:not(:last-child) {
    -webkit-line-clamp: 1;
    word-break: break-all;
  }

  .news {
    display: flex;
    align-items: center;
    gap: 4px;
    font-size: 11px;
    color: var(--key-faint);
  }

  .news span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .news .icon {
    width: 12px;
    height: 12px;
  }

  .news .clock {
    color: var(--key-warm);
  }

  .end .news {
    justify-content: flex-end;
  }

  .single .end .news {
    justify-content: flex-start;
  }

  .above .news {
    justify-content: center;
  }

  .plain .name {
    font-style: italic;
  }

  .confirming .news {
    font-weight: 600;
    color: var(--key-warm);
  }

  .unused {
    cursor: default;
  }

  .unused .cap {
    opacity: 0.45;
  }

  .unused .lens {
    fill: none;
    stroke: none;
  }

  /* Keys on both sides of a display, or on the right of it. */
  .screen {
    --key-faint: var(--faint);
    --key-warm: var(--warm);
  }

  .beside.screen {
    position: relative;
    color: var(--ink);
  }

  .beside.screen::before {
    content: "";
    position: absolute;
    inset: 0 50px;
    border-radius: 8px;
    border: 1px solid #000;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  .beside.screen.single::before {
    left: 0;
  }

  .beside.screen .label {
    position: relative;
  }

  .beside.screen .row + .row .label {
    box-shadow: 0 -1px #ffffff17;
  }

  .beside.screen .key.start .label {
    padding-left: 10px;
  }

  .beside.screen .key.end .label {
    padding-right: 10px;
  }

  .beside.screen:not(.single) .key.end .label {
    text-align: right;
  }

  .beside.screen.single .key.end .label {
    padding-left: 10px;
  }

  .beside.screen .label {
    height: 100%;
    justify-content: center;
  }

  /* Keys beside strips of paper. */
  .paper {
    --key-faint: #5a5243;
    --key-warm: #8a4b00;
    color: #26241f;
  }

  .beside.paper .row {
    column-gap: 8px;
  }

  .beside.paper .label {
    height: 100%;
    justify-content: center;
    padding: 0 8px;
    background: var(--paper);
    border: solid #00000040;
    border-width: 0 1px 1px;
  }

  .beside.paper .row:first-child .label {
    border-top-width: 1px;
    border-radius: 5px 5px 0 0;
  }

  .beside.paper .row:last-child .label {
    border-radius: 0 0 5px 5px;
  }

  .beside.paper .key.end .label {
    text-align: right;
  }

  /* Keys with their labels below, where it is not known how they stand. */
  .tiles {
    --key-faint: var(--text);
    --key-warm: var(--text);
    color: var(--text);
  }

  .tiles .row {
    gap: 6px;
  }

  .tiles .key {
    flex-direction: column;
    justify-content: flex-start;
    gap: 3px;
    height: 68px;
    padding-top: 4px;
    text-align: center;
  }

  .tiles .label {
    width: 100%;
    flex: none;
    font-size: 12px;
  }

  .tabs {
    display: flex;
    justify-content: center;
    gap: 6px;
    margin-top: 8px;
  }

  .tab {
    position: relative;
    min-width: 34px;
    height: 26px;
    text-align: center;
    border-radius: 13px;
    border: 1px solid var(--edge);
    background: var(--card);
    color: var(--text);
  }

  .tab[aria-current="page"] {
    background: var(--text);
    color: var(--card);
    font-weight: 600;
  }

  .page-lamp {
    position: absolute;
    top: -4px;
    right: -4px;
    width: 13px;
    height: 13px;
  }

  .note {
    font-size: 12px;
    margin-top: 6px;
  }

  .phone > .note {
    flex: 1 0 100%;
    margin: 0 4px;
  }

  .said {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .dial {
    width: 100%;
    max-height: 78px;
    margin-top: auto;
  }

  .pad {
    fill: #333a42;
    stroke: #14181c;
  }

  .well {
    fill: #14181c;
  }

  .dial .sign {
    fill: none;
    stroke: #c5cfd8;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .dial text {
    fill: #c5cfd8;
    font-size: 9px;
    text-anchor: middle;
  }

  /* Not registered, or no server: the phone is off. */
  .off .display,
  .off .beside.screen::before {
    background: #2c3136;
  }

  .off .lit {
    fill-opacity: 0.35;
  }

  .off .handset,
  .off .speaker,
  .off .dial {
    opacity: 0.5;
  }

  .silent .body,
  .off .body {
    border-style: dashed;
  }

  /* blink.ts sets these attributes. */
  @media (prefers-reduced-motion: no-preference) {
    :host([slow-dark]) .on .slow,
    :host([medium-dark]) .on .medium,
    :host([fast-dark]) .on .fast {
      visibility: hidden;
    }
  }

  .mark {
    display: none;
    stroke: #000;
    stroke-width: 2.5;
  }

  @media (prefers-reduced-motion: reduce) {
    .mark {
      display: inline;
    }
  }

  @container (min-width: 420px) {
    .left {
      flex-basis: 58px;
    }
    .body {
      padding: 14px;
      gap: 14px;
    }
    .module {
      gap: 8px;
    }
    .key {
      font-size: 14px;
    }
  }

  @container (max-width: 360px) {
    .left {
      flex-basis: 28px;
    }
    .body {
      padding: 8px;
      gap: 8px;
    }
    .beside {
      font-size: 12px;
    }
    .beside .cap {
      width: 37px;
      height: 22px;
    }
    .beside.screen::before {
      inset: 0 43px;
    }
    .beside.paper .row {
      column-gap: 6px;
    }
    .beside.paper .label {
      padding: 0 5px;
    }
    .beside.screen .key.start .label {
      padding-left: 7px;
    }
    .beside.screen .key.end .label {
      padding-right: 7px;
    }
  }

  @container (max-width: 250px) {
    .left {
      display: none;
    }
  }

  /* Keys that are arranged. */
  .arranging .key {
    cursor: grab;
    border-radius: 6px;
    outline: 1px dashed var(--key-faint, var(--text));
    outline-offset: -1px;
  }

  /* A finger drags by the cap, and scrolls by the rest. */
  .arranging .cap {
    touch-action: none;
  }

  .arranging .key[aria-pressed="true"],
  .arranging .key[data-drag="to"] {
    outline: 2px solid #fff;
    outline-offset: -2px;
    box-shadow: inset 0 0 0 4px #0b57d0;
  }

  .arranging .key[data-drag="from"] {
    z-index: 2;
    opacity: 0.75;
    pointer-events: none;
    cursor: grabbing;
  }
`;
