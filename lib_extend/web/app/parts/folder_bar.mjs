// The dataset folder: a field, recent ones, a dialog to look for one, and what it holds. The same in every view.

import { fill, h, uid } from "../dom.mjs";
import { bytes, texts } from "../texts.mjs";
import { browseDialog } from "./browse_dialog.mjs";
import { button, menu } from "./button.mjs";
import { empty, progress, trouble } from "./states.mjs";

const words = texts.folder;

/** What a folder holds, in a line. */
export function holdings(folder) {
  const { images, captions, sizes } = folder;
  const size = [sizes?.smallest, sizes?.largest].filter(Boolean).map(([w, h]) => `${w}×${h}`);
  return [
    words.pictures(images),
    images > 0 && words.captions(captions, images),
    folder.bytes > 0 && bytes(folder.bytes),
    [...new Set(size)].join(" – "),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** `first`: what to say, and a hint, while no folder is chosen. */
export function folderBar(app, first = [words.first, words.firstHint]) {
  const id = uid("folder");
  const input = h("input", {
    type: "text",
    id,
    placeholder: words.placeholder,
    spellcheck: false,
    autocomplete: "off",
    value: app.folder?.path ?? app.session.get("folder", ""),
  });
  const open = () => {
    const path = input.value.trim().replace(/^"(.*)"$/, "$1");
    if (path && (path !== app.folder?.path || app.folderError)) app.openFolder(path);
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && open());
  input.addEventListener("change", open);
  const browse = async () => {
    const path = await browseDialog(app, input.value.trim());
    if (path) {
      input.value = path;
      app.openFolder(path);
    }
  };
  const recursive = h("input", { type: "checkbox", checked: app.value("recursive") });
  recursive.addEventListener("change", () => {
    app.change({ recursive: recursive.checked });
    if (app.folder) app.openFolder(app.folder.path);
  });
  const line = h("div", { class: "holds" });
  const recent = h("div", { class: "recent" });
  const note = h("div");
  const element = h(
    "section",
    { class: "card stack close folder-bar" },
    h("label", { for: id, class: "label" }, words.label),
    h("div", { class: "row bar" }, h("div", { class: "grow" }, input), recent, button(words.browse, browse)),
    h("div", { class: "row below" }, h("div", { class: "grow" }, line), h("label", { class: "check" }, recursive, h("span", {}, words.recursive))),
    note,
  );
  const busy = progress(words.opening);
  const draw = () => {
    const { folder, folderError } = app;
    if (folder && element.getRootNode().activeElement !== input) input.value = folder.path;
    recursive.checked = app.value("recursive");
    fill(
      line,
      app.opening ? h("div", { class: "opening" }, busy) : folder && !folderError && h("span", { role: "status" }, holdings(folder)),
    );
    fill(
      note,
      folderError && trouble(folderError.message, folderError.status === 0 ? () => app.openFolder(input.value.trim()) : null),
      !folderError && folder && folder.images === 0 && !app.opening && h("div", { class: "note warn" }, words.empty),
      !folder && !folderError && !app.opening && firstUse(app, first),
    );
  };
  const drawRecent = () => {
    const others = app.recent.filter((f) => f.path !== app.folder?.path);
    fill(
      recent,
      others.length > 0 &&
        menu(
          "▾",
          others.slice(0, 12).map((f) => [recentLine(f), () => app.openFolder(f.path)]),
          { label: words.recent, kind: "icon" },
        ),
    );
  };
  app.on("folder", () => (draw(), drawRecent()));
  app.on("recent", drawRecent);
  app.on("config", draw);
  draw();
  drawRecent();
  return element;
}

function recentLine(folder) {
  return h(
    "span",
    { class: "recent-line" },
    h("span", { class: "cut path" }, h("bdi", {}, folder.path)),
    h("span", { class: "hint" }, words.pictures(folder.images ?? 0)),
  );
}

function firstUse(app, [title, hint]) {
  const element = empty(title, hint);
  const list = h("div", { class: "row recents" });
  const draw = () =>
    fill(
      list,
      app.recent.slice(0, 5).map((f) => button(recentLine(f), () => app.openFolder(f.path), "small")),
    );
  app.on("recent", draw);
  draw();
  element.append(list);
  return element;
}
