// A job as it goes on: how far, how fast, what comes out, what fails; pause, stop, continue, undo.

import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { note, progress } from "../../parts/states.mjs";
import { help, number, texts } from "../../texts.mjs";
import { failureList, pictureRow } from "./pictures.mjs";

const words = texts.job;
const SHOWN = 40;

/**
 * The panel of `tracker`, a job on the folder `folder` (its id). `acts`: what its buttons do: `again()` continues a stopped job,
 * `undo(run)`, `changes(run)` shows what it changed, `dismiss()`, `tag()` starts what was previewed.
 */
export function jobPanel(app, tracker, folder, acts) {
  const title = h("h2", {});
  const count = h("span", { class: "muted" });
  const buttons = h("div", { class: "row" });
  const bar = progress(words.state.running);
  const line = h("p", { class: "muted small" });
  const status = h("p", { class: "visually-hidden", role: "status" });
  const message = h("div");
  const notices = h("div");
  const failures = h("div");
  const list = h("ul", { class: "pictures" });
  const listTitle = h("h3", {});
  const listNote = h("p", { class: "hint" });
  const element = h(
    "section",
    { class: "card stack job", "aria-label": words.state.running },
    h("div", { class: "row" }, h("div", { class: "grow row" }, title, count), buttons),
    bar,
    line,
    status,
    message,
    notices,
    failures,
    h("div", { class: "stack close" }, listTitle, list, listNote),
  );
  const act = (action) => tracker.act(action).catch((error) => app.say(error.message, "bad"));
  let drawn = new Map();
  let mode = "";

  const heading = (info) => {
    if (!info) return words.preparing;
    if (tracker.gone) return words.state.stopped;
    if (info.kind === "preview" && info.state === "running") return words.previewing;
    if (info.kind === "preview" && info.state === "done") return words.previewed;
    if (info.kind === "undo" && info.state === "running") return words.undoing;
    return words.state[info.state];
  };
  const drawButtons = (info) => {
    const key = `${info?.state} ${info?.kind} ${info?.pausing} ${tracker.gone} ${info?.written > 0}`;
    if (key === mode) return;
    mode = key;
    const preview = info?.kind === "preview";
    const running = info?.state === "running";
    const paused = info?.state === "paused";
    fill(
      buttons,
      running && info.can_pause && !preview && button(words.pause, () => act("pause"), "small", { disabled: Boolean(info.pausing) }),
      paused && button(words.resume, () => act("resume"), "small primary"),
      (running || paused) && button(words.stop, () => act("stop"), "small"),
      tracker.over && !preview && (info?.state !== "done" || tracker.gone) && button(words.continue, acts.again, "small primary"),
      tracker.over && preview && info?.state === "done" && button(words.start, acts.tag, "small primary"),
      tracker.over && !preview && info?.written > 0 && button(words.seeChanges, () => acts.changes(info.run), "small"),
      tracker.over && !preview && info?.written > 0 && button(words.undo, () => acts.undo(info.run, info.written), "small"),
      tracker.over && button("×", acts.dismiss, "plain small icon", { "aria-label": words.dismiss, title: words.dismiss }),
    );
  };
  const facts = (info) => {
    if (!info) return [];
    const end = tracker.finished;
    const changed =
      info.kind === "preview" ? words.wouldChange(tracker.changed) : words.written(end?.written ?? info.written);
    return [
      info.state === "running" && info.rate ? words.rate(info.rate) : end?.images_per_second ? words.rate(end.images_per_second) : "",
      info.state === "running" && info.eta ? words.eta(info.eta) : "",
      tracker.over && end?.seconds ? words.took(end.seconds) : "",
      info.images > 0 || tracker.over ? changed : "",
      info.failed > 0 ? words.failed(info.failed) : "",
    ].filter(Boolean);
  };
  const phase = (info) => {
    if (tracker.gone) return note("warn", h("span", {}, words.lost));
    if (info?.error) return note("bad", h("span", {}, info.error));
    if (tracker.trouble) return note("warn", h("span", {}, tracker.trouble));
    if (tracker.over && info.state === "done" && info.images === 0) return note("", h("span", {}, words.nothing));
    if (tracker.over && info.kind === "preview" && tracker.changed === 0 && info.failed === 0) return note("good", h("span", {}, words.noChange));
    const now = tracker.phase;
    if (!now || tracker.over) return null;
    const what = h("span", {}, now.what);
    if (!now.total) return note("", what);
    const small = progress(now.what);
    small.set({ done: now.done, total: now.total });
    const big = now.total > 100_000; // a download counts bytes
    return h(
      "div",
      { class: "note phase" },
      what,
      h("span", { class: "muted" }, big ? words.downloading(now.done, now.total) : words.of(now.done, now.total)),
      small,
    );
  };
  const threshold = app.value("answer_threshold");
  const drawList = (info) => {
    const shown = tracker.pictures.slice(0, SHOWN);
    const preview = info?.kind === "preview";
    const rows = new Map();
    for (const event of shown) rows.set(event.n, drawn.get(event.n) ?? pictureRow(folder, event, { preview, threshold }));
    for (const [n, row] of drawn) if (!rows.has(n)) row.remove();
    let at = list.firstElementChild;
    for (const row of rows.values()) {
      if (row === at) at = at.nextElementSibling;
      else list.insertBefore(row, at);
    }
    drawn = rows;
    listTitle.textContent = preview ? words.changes : words.latest;
    listTitle.hidden = shown.length === 0;
    const waiting = shown.length === 0 && info?.state === "running";
    const some = tracker.seen > shown.length;
    listNote.textContent = waiting ? words.waiting : some ? words.shown(shown.length, tracker.seen) : "";
    listNote.hidden = !listNote.textContent;
  };
  let noticesDrawn = "";
  const drawNotices = () => {
    const said = [...tracker.notices.values()].map((event) => help(event.text));
    const read = Object.entries(tracker.finished?.encodings ?? {});
    if (read.length) said.push(words.encodings(read));
    if (tracker.finished?.earlier) said.push(words.keptTags(tracker.finished.earlier));
    else if (tracker.planned?.earlier) said.push(words.keepsCaptions(tracker.planned.earlier));
    if (tracker.finished?.several_lines) said.push(words.severalLines(tracker.finished.several_lines));
    if (said.join() === noticesDrawn) return;
    noticesDrawn = said.join();
    fill(notices, ...said.map((text) => note("", h("span", {}, text))));
  };
  let failuresDrawn = -1;
  const drawFailures = (info) => {
    const n = info?.failed ?? tracker.failures.length;
    if (tracker.failures.length === failuresDrawn) return;
    failuresDrawn = tracker.failures.length;
    fill(
      failures,
      tracker.failures.length > 0 &&
        h(
          "details",
          { class: "fold failed", open: true },
          h("summary", {}, words.failures, h("span", { class: "badge bad" }, number(Math.max(n, tracker.failures.length)))),
          h("div", { class: "inside" }, failureList(tracker.failures.slice(0, 100))),
        ),
    );
  };
  const draw = () => {
    const info = tracker.info;
    element.dataset.state = tracker.gone ? "stopped" : (info?.state ?? "running");
    title.textContent = info?.pausing ? words.stopping : heading(info);
    count.textContent = info?.images ? words.of(info.done + info.failed, info.images) : "";
    drawButtons(info);
    const total = info?.images ?? 0;
    bar.hidden = tracker.gone || (tracker.over && total === 0);
    bar.set({
      done: info?.done ?? 0,
      failed: info?.failed ?? 0,
      total: tracker.over || (info && info.done + info.failed > 0) ? total : 0,
      paused: info?.state === "paused",
    });
    const said = facts(info).join(" · ");
    line.textContent = said;
    line.hidden = !said;
    if (tracker.over) status.textContent = `${heading(info)}. ${said}`;
    fill(message, phase(info));
    drawNotices();
    drawFailures(info);
    drawList(info);
  };
  tracker.addEventListener("change", draw);
  draw();
  return element;
}
