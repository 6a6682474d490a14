// Tags that fit what is typed into a field: names, aliases and how often each is used. Keyboard first.

import { api } from "../api.mjs";
import { fill, h, later, uid } from "../dom.mjs";
import { texts } from "../texts.mjs";

const words = texts.complete;
const TYPED = 60;
const MOST = 12;

/** Tags that fit `text`: [{ name, category, count, rough, alias, translation, here }]. `folder`: the open folder's id or "". */
export async function lookUp(text, folder, signal) {
  const { tags } = await api.get("vocabulary/complete", { text, limit: MOST, folder }, signal);
  return tags;
}

const shown = (name) => name.replaceAll("_", " ");

/**
 * Complete tags in `input`. `take(tag)` gets what is chosen; without it the tag replaces what is typed, of `several` (with
 * commas between them) the one at the cursor. `folder()` is the open folder's id; `when()`: whether a tag is typed. Returns the element to put in place of the
 * input, which holds it and the list.
 */
export function completed(input, { folder = () => "", take = null, several = false, when = () => true } = {}) {
  const list = h("ul", { class: "complete", role: "listbox", id: uid("complete"), "aria-label": words.label, hidden: true });
  const said = h("span", { class: "visually-hidden", role: "status" });
  let rows = [];
  let at = -1;
  let request = null;
  let asked = "";

  Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, autocomplete: "off" }).forEach(([n, v]) => input.setAttribute(n, v));
  input.spellcheck = false;

  /** Where the tag at the cursor begins and ends. */
  const part = () => {
    if (!several) return [0, input.value.length];
    const cursor = input.selectionStart ?? input.value.length;
    const start = input.value.lastIndexOf(",", cursor - 1) + 1;
    const end = input.value.indexOf(",", cursor);
    return [start, end < 0 ? input.value.length : end];
  };
  const typed = () => input.value.slice(...part()).trim();

  const close = () => {
    soon.cancel();
    request?.abort();
    rows = [];
    at = -1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const look = async () => {
    const text = typed();
    if (!text || !when()) return close();
    request?.abort();
    const mine = (request = new AbortController());
    try {
      const found = await lookUp(text, folder(), mine.signal);
      if (mine !== request || input.getRootNode().activeElement !== input) return;
      asked = text;
      rows = found;
      at = -1;
      draw();
    } catch (error) {
      // what is typed is a tag without our help, too
      if (error.name !== "AbortError") close();
    }
  };
  const soon = later(look, TYPED);
  const draw = () => {
    fill(
      list,
      rows.map((tag, n) => {
        const row = h(
          "li",
          { role: "option", id: `${list.id}-${n}`, "aria-selected": "false", data: { category: tag.category ?? "" } },
          h("span", { class: "complete-name" }, marked(shown(tag.name)), tag.translation && h("span", { class: "muted" }, ` ${tag.translation}`)),
          tag.alias && h("span", { class: "muted cut" }, words.alias(shown(tag.alias))),
          tag.here > 0 && h("span", { class: "badge" }, words.here(tag.here)),
          tag.count !== null && tag.count !== undefined && h("span", { class: "muted count" }, words.count(tag.count, tag.rough)),
        );
        // the field keeps the focus
        row.addEventListener("pointerdown", (event) => event.preventDefault());
        row.addEventListener("click", () => choose(n));
        return row;
      }),
    );
    list.hidden = rows.length === 0;
    input.setAttribute("aria-expanded", String(rows.length > 0));
    input.removeAttribute("aria-activedescendant");
    said.textContent = words.found(rows.length);
    // above the field where there is no room below
    list.toggleAttribute("data-above", !list.hidden && input.getBoundingClientRect().bottom + list.offsetHeight > innerHeight && input.getBoundingClientRect().top > list.offsetHeight);
  };
  const marked = (name) => {
    const start = name.toLowerCase().indexOf(shown(asked).toLowerCase());
    return start < 0 ? name : [name.slice(0, start), h("strong", {}, name.slice(start, start + asked.length)), name.slice(start + asked.length)];
  };
  const point = (to) => {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = (to + rows.length) % rows.length;
    const row = list.children[at];
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", row.id);
  };
  const choose = (n) => {
    const tag = rows[n];
    if (take) {
      input.value = "";
      close();
      return void take(tag);
    }
    const [start, end] = part();
    const lead = start ? " " : "";
    const rest = input.value.slice(end);
    const more = several && !rest ? ", " : "";
    input.value = input.value.slice(0, start) + lead + shown(tag.name) + more + rest;
    const cursor = start + lead.length + shown(tag.name).length + more.length;
    input.setSelectionRange(cursor, cursor);
    close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    soon.cancel();
    return undefined;
  };
  input.addEventListener("input", soon);
  input.addEventListener("blur", close);
  // before the field's own keys: Enter takes what is pointed at
  input.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing) return; // a word is put together by an input method
      if (list.hidden) {
        if (event.key !== "ArrowDown" || !typed() || !when()) return;
        look();
      } else if (event.key === "ArrowDown") point(at + 1);
      else if (event.key === "ArrowUp") point(at < 0 ? rows.length - 1 : at - 1);
      else if (event.key === "Enter" && at >= 0) choose(at);
      else if (event.key === "Tab" && at >= 0) choose(at);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  const element = h("span", { class: "completed" }, input, list, said);
  element.closeList = close;
  return element;
}
