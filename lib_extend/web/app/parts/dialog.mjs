// Dialogs: the browser's own element, which keeps the focus inside and closes on Escape.

import { h, uid } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { button } from "./button.mjs";

/**
 * Open a dialog in `place`. `actions` are buttons for its foot. Returns the element; `element.close(value)` closes it,
 * `element.closed` is a promise of that value ("" on Escape).
 */
export function dialog(place, title, content, actions = []) {
  const heading = h("h2", { id: uid("dialog") }, title);
  const element = h(
    "dialog",
    { "aria-labelledby": heading.id },
    h("header", {}, heading, button("×", () => element.close(""), "plain icon small", { "aria-label": texts.common.close })),
    h("div", { class: "inside stack" }, content),
    actions.length > 0 && h("footer", {}, actions),
  );
  // a WebUI's own shortcuts must not see what is typed here
  element.addEventListener("keydown", (event) => event.stopPropagation());
  element.closed = new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve(element.returnValue);
    });
  });
  place.append(element);
  element.showModal();
  return element;
}

/** Ask before something that cannot be undone by a click. A promise of whether the person agreed. */
export async function confirm(place, title, explanation, yes, kind = "primary") {
  const box = dialog(
    place,
    title,
    explanation && h("p", {}, explanation),
    [button(texts.common.cancel, () => box.close("")), button(yes, () => box.close("yes"), kind)],
  );
  box.querySelector("footer button:last-child").focus();
  return (await box.closed) === "yes";
}

/** Ask for a short text; a promise of it, "" when the person changed their mind. */
export async function ask(place, title, label, value = "", accept = texts.common.save) {
  const id = uid("ask");
  const input = h("input", { type: "text", id, value, maxLength: 80, required: true });
  const send = () => input.value.trim() && box.close(input.value.trim());
  const box = dialog(
    place,
    title,
    h("div", { class: "field" }, h("label", { for: id }, label), input),
    [button(texts.common.cancel, () => box.close("")), button(accept, send, "primary")],
  );
  input.addEventListener("keydown", (event) => event.key === "Enter" && send());
  input.focus();
  input.select();
  return box.closed;
}
