// View 25: Curate
// "Curate": which tags the captions of a folder keep and which go, seen at once; applied as a run that can be taken back.

import { api } from "../api.mjs";
import { fill, h, later, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { field, same } from "../parts/field.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { empty, loading, note, progress, trouble } from "../parts/states.mjs";
import { texts } from "../texts.mjs";
import { undoRun } from "./browse/undoing.mjs";
import { coreTags } from "./curate/core_tags.mjs";
import { onePicture } from "./curate/one_picture.mjs";
import { tagRows } from "./curate/tag_rows.mjs";
import { Tracker } from "./tag/tracker.mjs";

const words = texts.curate;
const SOON = 120;
const FIRST = ["prune", "trigger"];
const START = { prune: "character_core" }; // what curating is for; tagging leaves all tags

export function view(app) {
  const own = () => ({ ...START, ...app.session.get("curation", {}) });
  const config = () => ({ ...app.config(), ...own() });
  const fields = h("div", { class: "stack" });
  const more = h("details", { class: "fold" }, h("summary", {}, words.more), h("div", { class: "inside" }));
  const sums = h("div", { class: "row tight sums", role: "status" });
  const notes = h("div", { class: "stack close" });
  const written = h("div", { class: "stack close" });
  const apply = button(words.nothing, () => write(), "primary", { disabled: true, data: { act: "curate" } });
  const tags = tagRows(() => look(), (tag, decided) => decide(tag, decided));
  const core = coreTags((tag, decided) => decide(tag, decided));
  const one = onePicture(app);
  const parts = { tags, core, one };
  const place = h("div", { role: "tabpanel", tabIndex: -1 });
  let part = "tags";
  let request = null;
  let writing = null;
  let shown = "";

  const id = uid("part");
  const choice = h(
    "fieldset",
    { class: "segments", "aria-label": words.views },
    Object.keys(parts).map((name) => {
      const input = h("input", { type: "radio", name: id, value: name, checked: name === part });
      input.addEventListener("change", () => {
        part = name;
        fill(place, parts[part]);
        look();
      });
      return h("label", {}, input, h("span", {}, words[name]));
    }),
  );
  const work = h(
    "div",
    { class: "curate-work", hidden: true },
    h("section", { class: "card stack curate-what" }, h("h2", {}, words.what), fields, more),
    h("section", { class: "card stack" }, h("div", { class: "row curate-head" }, h("div", { class: "grow" }, sums), apply), written, notes, choice, place),
  );
  const nothing = h("div");
  const element = h("div", { class: "stack wide curate" }, folderBar(app, [words.first, words.firstHint]), nothing, work);
  fill(place, tags);

  // settings: kept apart from those of tagging, which leave all tags by default
  const put = (name, value) => {
    const next = { ...own() };
    if (same(value, app.setting(name).default) && !(name in START)) delete next[name];
    else next[name] = value;
    app.session.set("curation", next);
    soon();
  };
  const HINTS = { prune: "", trigger: words.triggerHint };
  const make = (name) => field(app.setting(name), own()[name] ?? app.setting(name).default, (value) => put(name, value), name in HINTS ? { hint: HINTS[name] } : {});
  const drawFields = () => {
    if (fields.childNodes.length) return;
    fill(fields, FIRST.filter((name) => app.setting(name)).map(make));
    const rest = app.settings.filter((s) => s.group === "curation" && !FIRST.includes(s.name)).map((s) => s.name);
    more.addEventListener("toggle", () => more.open && !more.lastChild.childNodes.length && fill(more.lastChild, rest.map(make)));
  };

  const look = async () => {
    const folder = app.folder;
    if (!folder || writing) return;
    request?.abort();
    const mine = (request = new AbortController());
    const waiting = setTimeout(() => fill(sums, h("span", { class: "muted" }, words.looking)), 400);
    try {
      const found = await api.post(`datasets/${folder.id}/curation`, { config: config(), ...tags.query() }, mine.signal);
      if (mine !== request) return;
      drawSums(found);
      tags.draw(found);
      if (part === "core") core.draw(await api.post(`datasets/${folder.id}/curation/core`, { config: config() }, mine.signal));
      if (part === "one") one.look(config());
    } catch (error) {
      if (mine !== request || error.name === "AbortError") return;
      apply.disabled = true;
      fill(sums);
      fill(notes, trouble(error.message, look));
    } finally {
      clearTimeout(waiting);
    }
  };
  const soon = later(look, SOON);
  const drawSums = (found) => {
    const { sums: all } = found;
    fill(
      sums,
      [words.pictures(found.pictures), words.kept(all.kept), words.dropped(all.dropped)].map((text) => h("span", { class: "badge" }, text)),
      h("span", { class: "muted small" }, words.seconds(found.seconds)),
      found.steps.filter((s) => s.dropped > 0).map((s) => h("span", { class: "badge" }, `${words.steps[s.name] ?? s.name} ${words.times(s.dropped)}`)),
    );
    apply.disabled = all.changed === 0;
    apply.textContent = all.changed ? words.apply(all.changed) : words.nothing;
    fill(
      notes,
      found.problems.map((p) => note("bad", h("span", { class: "wrap" }, words.file(p.file, p.line), p.text))),
      all.empty > 0 && note("warn", h("span", { class: "wrap" }, words.empty(all.empty), " ", all.empty_names.join(", "))),
      found.without_tags > 0 && note("", h("span", {}, words.withoutTags(found.without_tags))),
      found.own_only > 0 && note("", h("span", {}, words.ownOnly(found.own_only))),
    );
  };
  const decide = async (tag, decision) => {
    try {
      await api.post(`datasets/${app.folder.id}/curation/overrules`, { tag, decision });
      look();
    } catch (error) {
      app.say(error.message, "bad");
    }
  };

  /** Write the captions: a run, with its progress, a stop and a way back. */
  const write = async () => {
    const { id: folder } = app.folder;
    const bar = progress(words.applying);
    const line = h("span", { class: "grow" }, words.applying);
    try {
      const { id: job } = await api.post("jobs", { folder, kind: "curate", config: config() });
      const tracker = (writing = new Tracker(job));
      fill(written, h("div", { class: "row" }, line, button(texts.job.stop, () => tracker.act("stop"), "small")), bar);
      tracker.addEventListener("change", () => {
        const done = tracker.info?.done ?? tracker.seen;
        const total = tracker.info?.total ?? tracker.planned?.total ?? 0;
        bar.set({ done, total });
        if (total) line.textContent = `${words.applying} ${texts.job.of(done, total)}`;
      });
      const end = await tracker.watch();
      if (tracker.info?.error) throw new Error(tracker.info.error);
      const failed = tracker.failures.length ? ` ${texts.undo.failed(tracker.failures.length)} ${tracker.failures[0].reason}` : "";
      const run = end?.run ?? tracker.info?.run;
      const close = button("×", () => fill(written), "plain icon small", { "aria-label": texts.common.close });
      const stopped = tracker.info?.state === "stopped" ? `${words.stopped} ` : "";
      fill(
        written,
        note(
          failed ? "warn" : "good",
          h("span", { role: "status", class: "wrap" }, stopped, words.applied(end?.written ?? 0), failed),
          run && button(words.undo, async () => (await undoRun(app, run)) && (fill(written), app.tell("written"), look()), "small"),
          close,
        ),
      );
      app.tell("written");
    } catch (error) {
      fill(written, trouble(error.message, write));
    }
    writing = null;
    look();
  };

  const drawFolder = () => {
    const folder = app.folder;
    work.hidden = !folder || folder.images === 0;
    if (app.opening || !element.isConnected) return;
    if (work.hidden) {
      shown = "";
      return void fill(nothing, folder && empty(texts.folder.empty));
    }
    fill(nothing);
    drawFields();
    if (folder.id !== shown) {
      one.reset();
      fill(written);
      fill(sums, loading(24));
    }
    shown = folder.id;
    look();
  };
  app.on("folder", drawFolder);
  app.on("config", () => element.isConnected && shown && soon());
  return { element, show: drawFolder, hide: () => request?.abort() };
}
