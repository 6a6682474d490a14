// View 30: Browse
// "Browse": all pictures of a folder, filtered; their tags; edits on one caption or on all that is filtered.

import { api, follow } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { empty, note, progress, trouble } from "../parts/states.mjs";
import { texts } from "../texts.mjs";
import { bulkEdit } from "./browse/bulk.mjs";
import { filterBox } from "./browse/filter.mjs";
import { grid } from "./browse/grid.mjs";
import { Pages } from "./browse/pages.mjs";
import { Picks } from "./browse/picks.mjs";
import { openPicture } from "./browse/picture.mjs";
import { tagTable } from "./browse/tag_table.mjs";
import { undoRun } from "./browse/undoing.mjs";
import { showWriting } from "./browse/writing.mjs";

const words = texts.grid;
const SORTS = ["name", "changed", "tokens", "tags", "sure"];
const WIDE = 860;

export function view(app) {
  const pages = new Pages();
  const picks = new Picks();
  const filter = filterBox(app, () => look());
  const sort = h(
    "select",
    { class: "sort", "aria-label": words.sort },
    SORTS.map((id) => h("option", { value: id, selected: id === app.session.get("sort", "name") }, words.sorts[id])),
  );
  sort.addEventListener("change", () => {
    app.session.set("sort", sort.value);
    look();
  });
  const count = h("span", { class: "strong", role: "status" });
  const edit = button(words.edit, () => change(), "", { disabled: true });
  const unpick = button("×", () => picks.clear(), "plain icon small", { "aria-label": words.unpick, title: words.unpick, hidden: true });
  const edited = h("div");
  const place = h("div", { class: "grid-place" });
  const cells = grid(pages, { folder: () => app.folder.id, open: (n) => openAt(n), picks, leaveOut: (row) => leaveOut(row), fail: (error) => app.say(error.message, "bad") });
  const tags = tagTable((term) => filter.toggle(term));
  const keys = h("p", { class: "visually-hidden", id: "browse-keys" }, words.keysHint);
  const work = h(
    "div",
    { class: "browse-work", hidden: true },
    tags,
    h(
      "section",
      { class: "card stack browse-main" },
      filter,
      h("div", { class: "row browse-head" }, h("div", { class: "row tight grow" }, count, unpick), h("label", { class: "visually-hidden" }, words.sort), sort, edit),
      edited,
      place,
      keys,
    ),
  );
  const element = h("div", { class: "stack wide browse" }, folderBar(app, [words.first, words.firstHint]), work);
  let shown = "";
  let endScan = () => {};
  let opened = false;
  let asked = "";

  /** Have the server look through the folder first, with its progress shown. */
  const scan = () => {
    endScan();
    const folder = app.folder;
    const bar = progress(words.scanning);
    const line = h("p", {}, words.scanning);
    // a folder that is known answers at once: no flash of a progress bar then
    const soon = setTimeout(() => fill(place, h("div", { class: "empty scanning" }, line, bar)), 250);
    fill(place, h("div", { class: "skeleton whole-grid" }));
    const over = () => {
      clearTimeout(soon);
      endScan();
      endScan = () => {};
    };
    endScan = follow(`datasets/${folder.id}/scan`, {
      onEvent: (event) => {
        if (app.folder?.id !== folder.id) return over();
        if (event.error) {
          over();
          fill(place, trouble(event.error, scan));
        } else if (event.ready) {
          over();
          look();
        } else {
          bar.set({ done: event.done, total: event.total });
          line.textContent = words.scanned(event.done, event.total);
        }
      },
      onTrouble: (sentence) => sentence && (line.textContent = sentence),
    });
  };

  const look = () => {
    if (!app.folder) return;
    const text = filter.value();
    app.session.set("filter", { folder: app.folder.id, text });
    edit.disabled = true;
    filter.fail("");
    if (text !== asked) picks.clear();
    asked = text;
    pages.ask(app.folder.id, text, sort.value);
    tags.show(app.folder.id, text);
  };
  /** What is filtered, fetched anew: captions were written. */
  const again = () => {
    pages.again();
    tags.show(app.folder.id, filter.value());
  };
  const drawCount = () => {
    const total = pages.total ?? 0;
    edit.disabled = total === 0;
    edit.textContent = picks.size ? words.editPicked : words.edit;
    unpick.hidden = picks.size === 0;
    if (picks.size) count.textContent = words.picked(picks.size, total);
    else count.textContent = total === app.folder.images ? texts.folder.pictures(total) : words.found(total, app.folder.images);
  };
  picks.addEventListener("change", drawCount);
  const drawGrid = () => {
    const total = pages.total ?? 0;
    drawCount();
    if (total > 0) {
      if (!cells.isConnected) fill(place, cells);
      cells.measure();
    } else if (filter.value()) {
      fill(place, empty(words.none, words.noneHint, button(words.clear, () => filter.set(""))));
    } else fill(place, empty(texts.folder.empty));
  };
  pages.addEventListener("total", drawGrid);
  pages.addEventListener("failed", ({ detail: error }) => {
    if (error.status === 400) {
      count.textContent = "";
      filter.fail(error.message);
      if (pages.total === null && !cells.isConnected) fill(place, empty(words.none, error.message));
    } else if (pages.total === null) fill(place, trouble(error.message, look));
    else app.say(error.message, "bad");
  });

  const openAt = async (n) => {
    if (opened) return;
    opened = true;
    const last = await openPicture(app, pages, n, (id, values) => {
      pages.change(id, values);
      tags.show(app.folder.id, filter.value());
    });
    opened = false;
    cells.refocus(last);
  };
  const change = async () => {
    const done = picks.size ? await bulkEdit(app, { ids: picks.ids }, picks.size) : await bulkEdit(app, { filter: filter.value() }, pages.total ?? 0);
    if (!done) return;
    picks.clear();
    again();
    const gone = button("×", () => fill(edited), "plain icon small", { "aria-label": texts.common.close });
    const back = done.run !== null && button(words.undo, () => takeBack(done.run), "small");
    fill(
      edited,
      note(done.failures?.length || done.stopped ? "warn" : "good", h("span", { role: "status" }, texts.bulk.done(done), done.failures?.length > 0 && ` ${texts.bulk.failed(done.failures)}`), back, gone),
    );
  };
  /** Leave out what is picked, or this picture; or take it in again, when this one is left out. */
  const leaveOut = async (row) => {
    const ids = picks.size ? picks.ids : [row.id];
    const back = row.left_out !== null;
    try {
      const done = await api.post(`datasets/${app.folder.id}/left-out`, { ids, back });
      app.say(back ? words.takenIn(done.changed) : words.wasLeftOut(done.changed), "good");
    } catch (error) {
      return void app.say(error.message, "bad");
    }
    picks.drop(ids);
    again();
  };
  const takeBack = async (run) => {
    if (!(await undoRun(app, run))) return;
    fill(edited);
    again();
  };

  // keys for the whole view, wherever the focus is unless somebody types
  const key = (event) => {
    const from = event.composedPath()[0];
    if (!element.isConnected || element.offsetParent === null || work.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (from.matches?.("input, textarea, select, [contenteditable]") || app.place.querySelector("dialog[open]")) return;
    if (!app.place.host.contains(event.target) && event.target !== document.body) return;
    if (event.key === "/") filter.focusBox();
    else if (event.key === "?") filter.help();
    else if (event.key === "Escape" && picks.size) picks.clear();
    else if (event.key === "Escape" && filter.value()) filter.set("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  filter.addEventListener("keydown", (event) => {
    if ((event.key === "ArrowDown" || event.key === "Enter" || event.key === "Escape") && event.target.type === "search" && cells.isConnected) cells.focus();
  });

  // the tag table folds away where there is no room beside the pictures
  let narrow = null;
  new ResizeObserver(([entry]) => {
    const now = entry.contentRect.width < WIDE;
    if (now === narrow || !entry.contentRect.width) return;
    narrow = now;
    work.toggleAttribute("data-narrow", narrow);
    tags.open = !narrow;
  }).observe(element);

  const drawFolder = () => {
    const folder = app.folder;
    work.hidden = !folder || folder.images === 0;
    if (app.opening || !element.isConnected) return;
    if (!folder || work.hidden) {
      shown = "";
      pages.close();
      return;
    }
    if (folder.id === shown) return void again();
    shown = folder.id;
    fill(edited);
    count.textContent = texts.folder.pictures(folder.images);
    const kept = app.session.get("filter");
    filter.restore(kept?.folder === folder.id ? kept.text : "");
    filter.fail("");
    picks.clear();
    scan();
    showWriting(folder.id, edited, (sentence) => app.say(sentence, "bad"), () => app.folder?.id === folder.id && again());
  };
  app.on("folder", drawFolder);
  app.on("written", () => element.isConnected && shown && again());
  return {
    element,
    show: () => {
      document.addEventListener("keydown", key);
      drawFolder();
    },
    hide: () => {
      document.removeEventListener("keydown", key);
      endScan();
      pages.close();
      if (pages.total === null) shown = "";
    },
  };
}
