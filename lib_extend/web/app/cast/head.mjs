// What stands in the accordion's head: in one line what the panel does, and the switch.

import { h } from "../dom.mjs";
import { summary, texts } from "./texts.mjs";

const TAG = "prompt-extend-cast-head";
const HEIGHT = 24;
const STYLE = `
:host { display: flex; align-items: center; justify-content: flex-end; gap: 10px; height: 24px; font: 400 13px/1.4 var(--font, system-ui, sans-serif);
  color: var(--body-text-color, #1f2937); pointer-events: none; }
.summary { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; opacity: 0.75; }
label { flex: none; display: flex; cursor: pointer; pointer-events: auto; padding: 4px 0; }
input { appearance: none; width: 34px; height: 20px; margin: 0; border-radius: 10px; cursor: pointer; transition: background 0.15s;
  background: color-mix(in srgb, var(--body-text-color, #1f2937) 28%, transparent); }
input::before { content: ""; display: block; width: 16px; height: 16px; margin: 2px; border-radius: 50%; background: #fff;
  box-shadow: 0 1px 2px rgb(0 0 0 / 30%); transition: margin 0.15s; }
input:checked { background: var(--color-accent, var(--primary-500, #f97316)); }
input:checked::before { margin-left: 16px; }
input:focus-visible { outline: 2px solid var(--color-accent, #f97316); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (prefers-reduced-motion: reduce) { input, input::before { transition: none; } }
`;

/** Put it into the accordion, over Gradio's own head, which stays as it is. */
export function head(accordion, store) {
  const input = h("input", { type: "checkbox", role: "switch", "aria-label": texts.head.on, title: texts.head.on });
  const line = h("span", { class: "summary" });
  const element = h(TAG);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = element.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(line, h("label", {}, input));
  input.addEventListener("change", () => store.change({ enabled: input.checked }));
  const show = () => {
    input.checked = store.state.enabled;
    line.textContent = store.problem ? texts.head.problem : summary(store.state);
    line.title = line.textContent;
  };
  store.on("change", ({ live }) => !live && show());
  show();
  const opener = accordion.querySelector(".label-wrap");
  accordion.querySelector(TAG)?.remove(); // of an element that Gradio has replaced
  opener.after(element);
  // in the middle of Gradio's head, whatever the WebUI's styles make of that
  new ResizeObserver(() => {
    if (opener.offsetHeight) element.style.top = `${opener.offsetTop + (opener.offsetHeight - HEIGHT) / 2}px`;
  }).observe(opener);
  reachable(opener);
}

/** Older Gradio's head is no button: make it one for the keyboard. */
function reachable(opener) {
  if (opener.localName === "button") return;
  opener.tabIndex = 0;
  opener.setAttribute("role", "button");
  const look = () => opener.setAttribute("aria-expanded", String(opener.classList.contains("open")));
  look();
  new MutationObserver(look).observe(opener, { attributes: true, attributeFilter: ["class"] });
  opener.addEventListener("keydown", (event) => {
    if (event.target !== opener || (event.key !== "Enter" && event.key !== " ") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    opener.click();
  });
}
