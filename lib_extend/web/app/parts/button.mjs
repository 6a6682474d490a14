// Buttons, and menus behind a button.

import { h, uid } from "../dom.mjs";
import { texts } from "../texts.mjs";

/**
 * A button. `kind`: words of "primary", "small", "plain", "danger", "icon". While an async `run` works, the button is
 * disabled, so that nothing is started twice.
 */
export function button(words, run, kind = "", props = {}) {
  const element = h("button", { type: "button", class: `button ${kind}`.trim(), ...props }, words);
  element.addEventListener("click", async (event) => {
    const work = run(event);
    if (!(work instanceof Promise)) return;
    element.disabled = true;
    try {
      await work;
    } finally {
      element.disabled = false;
    }
  });
  return element;
}

/** A button with a list of `[words, run, kind]`; null entries are left out. Escape and a click elsewhere close it. */
export function menu(words, entries, props = {}) {
  const list = h("div", { class: "list", role: "menu", id: uid("menu"), hidden: true });
  const opener = button(words, () => toggle(list.hidden), props.kind ?? "", {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "aria-controls": list.id,
    "aria-label": props.label ?? texts.common.menu,
    title: props.label ?? texts.common.menu,
  });
  const element = h("div", { class: "menu" }, opener, list);
  const away = (event) => !event.composedPath().includes(element) && toggle(false);
  const toggle = (open) => {
    list.hidden = !open;
    document[open ? "addEventListener" : "removeEventListener"]("pointerdown", away);
    opener.setAttribute("aria-expanded", String(open));
    if (open) list.querySelector("button:not(:disabled)")?.focus();
  };
  for (const entry of entries.filter(Boolean)) {
    const [text, run, kind] = entry;
    const item = button(
      text,
      () => {
        toggle(false);
        opener.focus();
        return run();
      },
      `plain small ${kind ?? ""}`,
      { role: "menuitem" },
    );
    list.append(item);
  }
  element.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const items = [...list.querySelectorAll("button:not(:disabled)")];
    const at = items.indexOf(element.getRootNode().activeElement);
    if (event.key === "Escape") {
      toggle(false);
      opener.focus();
    } else if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !element.contains(event.relatedTarget)) toggle(false);
  });
  return element;
}
