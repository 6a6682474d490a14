// View 50: Runs
// "Runs": what was done to a folder, what each run changed, and the way back.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { confirm } from "../parts/dialog.mjs";
import { diff } from "../parts/diff.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { same } from "../parts/field.mjs";
import { empty, loading, progress, trouble } from "../parts/states.mjs";
import { ago, duration, kinds, label, texts } from "../texts.mjs";
import { failureList, thumbnail } from "./tag/pictures.mjs";
import { Tracker } from "./tag/tracker.mjs";

const words = texts.runs;
const PAGE = 50;
const COLORS = { running: "accent", done: "good", stopped: "warn", failed: "bad", undone: "" };

export function view(app) {
  const list = h("div", { class: "run-list", role: "listbox", "aria-label": words.title });
  const detail = h("div", { class: "run-detail" });
  const grid = h("div", { class: "runs-grid", hidden: true }, h("section", { class: "card stack close" }, h("h2", {}, words.title), list), detail);
  const nothing = h("div");
  const element = h("div", { class: "stack wide" }, folderBar(app, [words.first, words.firstHint]), nothing, grid);
  let runs = [];
  let chosen = null;
  let asked = 0;

  const look = async () => {
    const folder = app.folder;
    grid.hidden = true;
    fill(nothing);
    if (!folder) return;
    const mine = (asked += 1);
    if (runs.length === 0) fill(nothing, loading(200));
    try {
      const answer = await api.get(`datasets/${folder.id}/runs`);
      if (mine !== asked) return;
      runs = (Array.isArray(answer) ? answer : answer.runs).slice().sort((a, b) => b.id - a.id);
    } catch (error) {
      if (mine === asked) fill(nothing, trouble(error.message, look));
      return;
    }
    if (runs.length === 0) return void fill(nothing, empty(words.empty, words.emptyHint));
    fill(nothing);
    grid.hidden = false;
    const wanted = app.session.get("run");
    const first = runs.find((r) => r.id === wanted) ?? runs.find((r) => r.kind !== "preview") ?? runs[0];
    drawList();
    open(first.id);
  };
  const drawList = () => {
    fill(
      list,
      runs.map((run) =>
        h(
          "button",
          {
            type: "button",
            class: "run",
            role: "option",
            "aria-selected": String(run.id === chosen),
            on: { click: () => open(run.id) },
          },
          h("span", { class: "row tight" }, h("strong", {}, words.run(run.id)), h("span", { class: "grow" }, kinds[run.kind] ?? run.kind), status(run)),
          h("span", { class: "hint" }, [ago(run.started), counts(run)].filter(Boolean).join(" · ")),
        ),
      ),
    );
  };
  const status = (run) => h("span", { class: `badge ${COLORS[run.status] ?? ""}` }, words.status[run.status] ?? run.status);
  const counts = (run) =>
    [
      run.undoes ? words.undoes(run.undoes) : run.kind === "review" ? words.answers(run.config?.answers ?? 0) : words.pictures(run.images ?? 0),
      run.kind !== "preview" && words.changed(run.changed ?? 0),
      run.taken_back > 0 && run.status !== "undone" && words.takenBack(run.taken_back),
      run.failed > 0 && words.failed(run.failed),
    ]
      .filter(Boolean)
      .join(" · ");

  const open = async (id) => {
    chosen = id;
    app.session.set("run", id);
    for (const row of list.children) row.setAttribute("aria-selected", String(runs[[...list.children].indexOf(row)]?.id === id));
    fill(detail, loading(240));
    try {
      const run = await api.get(`datasets/${app.folder.id}/runs/${id}`);
      if (chosen === id) fill(detail, drawRun({ ...runs.find((r) => r.id === id), ...run }));
    } catch (error) {
      if (chosen === id) fill(detail, trouble(error.message, () => open(id)));
    }
  };
  const drawRun = (run) => {
    const undoable = (run.kind === "tag" || run.kind === "edit" || run.kind === "undo" || run.kind === "review" || run.kind === "leave_out") && run.status !== "undone" && run.status !== "running" && run.changed > 0;
    const took = run.finished && run.started ? duration(run.finished - run.started) : "";
    return h(
      "section",
      { class: "card stack" },
      h(
        "header",
        {},
        h("div", { class: "row" }, h("h2", {}, `${words.run(run.id)}: ${kinds[run.kind] ?? run.kind}`), status(run)),
        h(
          "div",
          { class: "row" },
          (run.kind === "tag" || run.kind === "preview") && Object.keys(run.config ?? {}).length > 0 && button(words.useSettings, () => (app.replaceConfig(run.config), app.say(words.used, "good")), "small"),
          undoable && button(texts.undo.do, () => undo(run), "small"),
        ),
      ),
      h("p", { class: "muted" }, [ago(run.started), took && texts.job.took(run.finished - run.started), counts(run)].filter(Boolean).join(" · ")),
      settings(run),
      run.failures?.length > 0 &&
        h("details", { class: "fold failed", open: true }, h("summary", {}, words.failures, h("span", { class: "badge bad" }, String(run.failures.length))), h("div", { class: "inside" }, failureList(run.failures))),
      run.kind !== "preview" && changes(run),
    );
  };
  const settings = (run) => {
    const different = Object.entries(run.config ?? {}).filter(([name, value]) => app.setting(name) && !same(value, app.setting(name).default));
    if (run.kind !== "tag" && run.kind !== "preview") return null;
    return h(
      "details",
      { class: "fold" },
      h("summary", {}, words.settings, h("span", { class: "badge" }, String(different.length))),
      h(
        "div",
        { class: "inside" },
        different.length === 0
          ? h("p", { class: "hint" }, words.allDefault)
          : h("dl", { class: "facts" }, different.flatMap(([name, value]) => [h("dt", {}, label(name)), h("dd", {}, said(value))])),
      ),
    );
  };
  const said = (value) => (Array.isArray(value) ? value.join(", ") || "–" : value === true ? texts.common.yes : value === false || value === null ? "–" : String(value));
  const changes = (run) => {
    const all = run.changes ?? [];
    if (all.length === 0) return h("p", { class: "muted" }, words.noChanges);
    const search = h("input", { type: "search", placeholder: words.filter, "aria-label": words.filter });
    const rows = h("ul", { class: "pictures" });
    const more = h("div");
    let shown = PAGE;
    const draw = () => {
      const wanted = search.value.trim().toLowerCase();
      const found = wanted ? all.filter((c) => `${c.name} ${c.before ?? ""} ${c.after ?? ""}`.toLowerCase().includes(wanted)) : all;
      fill(
        rows,
        found.slice(0, shown).map((c) =>
          h(
            "li",
            { class: "picture-row" },
            thumbnail(app.folder.id, c.image ?? c.name),
            h(
              "div",
              { class: "stack close" },
              h("div", { class: "row tight" }, h("span", { class: "name wrap" }, c.image ?? c.name), c.before === null && h("span", { class: "badge good" }, texts.job.new)),
              diff(c.before, c.after),
            ),
          ),
        ),
      );
      fill(more, found.length > shown && button(texts.common.more(Math.min(PAGE, found.length - shown)), () => ((shown += PAGE), draw())));
    };
    search.addEventListener("input", draw);
    draw();
    return h("div", { class: "stack close" }, h("div", { class: "row" }, h("h3", { class: "whole" }, words.changes), all.length > 8 && h("div", { class: "search" }, search)), rows, more);
  };
  const undo = async (run, force = false) => {
    if (!force && !(await confirm(app.place, texts.undo.ask(run.id), texts.undo.explain(run.changed), texts.undo.do))) return;
    try {
      const { id } = await api.post("jobs", { folder: app.folder.id, kind: "undo", run: run.id, force, config: {} });
      const tracker = new Tracker(id);
      const bar = progress(texts.job.undoing);
      tracker.addEventListener("change", () => bar.set({ done: tracker.phase?.done ?? 0, total: tracker.phase?.total ?? 0 }));
      const stop = button(texts.job.stop, () => tracker.act("stop").catch((error) => app.say(error.message, "bad")), "small");
      fill(detail, h("section", { class: "card stack" }, h("div", { class: "row" }, h("h2", { class: "grow" }, texts.job.undoing), stop), bar));
      const end = await tracker.watch();
      if (tracker.info?.error) app.say(tracker.info.error, "bad");
      else app.say(texts.undo.done(end?.written ?? 0), "good");
      const left = tracker.failures.length;
      if (left) app.say(`${texts.undo.failed(left)} ${tracker.failures[0].reason}`, "bad");
      if (left && !force && (await confirm(app.place, texts.undo.forceAsk(left), texts.undo.forceExplain, texts.undo.force))) return void (await undo(run, true));
      app.session.set("run", null);
      await app.again();
    } catch (error) {
      app.say(error.message, "bad");
    }
  };
  app.on("folder", () => {
    if (app.opening) return;
    if (!app.folder) runs = [];
    if (element.isConnected) look();
  });
  return { element, show: look, hide: () => {} };
}
