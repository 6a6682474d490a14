// A list of texts: each a token with a ×, a place to type the next.

import { completed } from "../chips/complete.mjs";
import { h } from "../dom.mjs";
import { texts } from "../texts.mjs";

// these may hold commas themselves: a regular expression, a path, a question
const WHOLE = /^(question|question_file|include)$/;

// these are tags, or patterns of tags
const TAGS = /^(exclude|keep|prefix_tags|suffix_tags)$/;
const isPattern = (text) => /[*?/]/.test(text);

/**
 * The widget; `element.set(list)` shows a list, `onChange(list)` gets every change. Where it takes tags they are
 * completed, those of the open folder (`folder()` is its id) first.
 */
export function tokens(id, setting, described, onChange, folder = () => "") {
  let items = [];
  const input = h("input", {
    type: "text",
    id,
    "aria-describedby": described,
    spellcheck: false,
    autocomplete: "off",
    placeholder: texts.settings.listHint,
  });
  const place = TAGS.test(setting.name)
    ? completed(input, { folder, take: (tag) => add([tag.name.replaceAll("_", " ")]), when: () => !isPattern(input.value) })
    : input;
  const element = h("div", { class: "tokens", on: { click: (event) => event.target === element && input.focus() } }, place);
  element.input = input;

  const draw = () => {
    for (const token of element.querySelectorAll(".token")) token.remove();
    items.forEach((item, at) => {
      const remove = h(
        "button",
        {
          type: "button",
          "aria-label": texts.settings.removeItem(item),
          on: {
            click: () => {
              change(items.filter((_, n) => n !== at));
              input.focus();
            },
          },
        },
        "×",
      );
      element.insertBefore(h("span", { class: "token" }, item, remove), place);
    });
    input.placeholder = items.length ? "" : texts.settings.listHint;
  };
  const change = (next) => {
    items = next;
    draw();
    onChange(items);
  };
  const add = (texts) => {
    const fresh = texts.map((p) => p.trim()).filter((p) => p && !items.includes(p));
    if (fresh.length) change([...items, ...fresh]);
  };
  const take = () => {
    const typed = input.value.trim();
    if (!typed) return;
    const parts = WHOLE.test(setting.name) || typed.startsWith("/") ? [typed] : typed.split(",");
    input.value = "";
    place.closeList?.();
    add(parts);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !input.value && items.length) change(items.slice(0, -1));
  });
  input.addEventListener("blur", take);
  element.set = (list) => {
    items = [...list];
    draw();
  };
  return element;
}
