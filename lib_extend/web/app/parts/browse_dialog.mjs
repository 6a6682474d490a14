// A dialog that walks the server's folders.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { button } from "./button.mjs";
import { dialog } from "./dialog.mjs";
import { loading, trouble } from "./states.mjs";

const words = texts.browse;

/** A promise of the chosen folder's path, "" for none. */
export async function browseDialog(app, start) {
  const field = h("input", { type: "text", "aria-label": words.path, spellcheck: false });
  const list = h("div", { class: "folder-list" });
  let here = "";
  const choose = button(words.choose, () => box.close(here), "primary", { disabled: true });
  const box = dialog(
    app.place,
    words.title,
    [h("div", { class: "row" }, h("div", { class: "grow" }, field), button(words.go, () => look(field.value.trim()))), list],
    [button(texts.common.cancel, () => box.close("")), choose],
  );
  field.addEventListener("keydown", (event) => event.key === "Enter" && look(field.value.trim()));

  const look = async (path, retry = true) => {
    fill(list, loading(200));
    choose.disabled = true;
    let found;
    try {
      found = await api.get("folders/browse", { path });
    } catch (error) {
      // a path that is half typed, or gone: begin where the server begins
      if (retry && path && path === start) return look("", false);
      return void fill(list, trouble(error.message, () => look("", false)));
    }
    here = found.path ?? "";
    field.value = here;
    choose.disabled = !here;
    const entry = (name, target, images, kind = "") =>
      h(
        "button",
        { type: "button", class: `folder-entry ${kind}`, on: { click: () => look(target) } },
        h("span", { class: "cut" }, name),
        h("span", { class: "hint" }, words.images(images ?? 0)),
      );
    const folders = found.folders ?? [];
    fill(
      list,
      found.parent !== null && found.parent !== undefined && found.parent !== here && entry(`↑ ${words.up}`, found.parent, 0, "up"),
      folders.map((f) => entry(f.name, f.path, f.images)),
      folders.length === 0 && h("p", { class: "hint none" }, words.empty),
    );
    list.querySelector("button")?.focus();
  };
  look(start);
  return box.closed;
}
