// View 45: Check
// "Check": what would break or spoil a training with a folder, by rules; what can be mended is mended as a run.

import { api } from "../api.mjs";
import { fill, h, later, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { empty, loading, note, trouble } from "../parts/states.mjs";
import { texts } from "../texts.mjs";
import { undoRun } from "./browse/undoing.mjs";
import { thumbnail } from "./tag/pictures.mjs";

const words = texts.check;
const PICTURES = 12; // shown with a finding at first
const MOST = 200; // named by the server
const SOON = 400;
const COLORS = { error: "bad", warning: "warn", note: "" };

export function view(app) {
  const trainer = h("select", { id: uid("trainer") });
  const base = h("select", { id: uid("base") });
  const trigger = h("input", { id: uid("trigger"), type: "text", spellcheck: false });
  const controls = { trainer, base, trigger };
  const sums = h("div", { class: "row tight", role: "status" });
  const written = h("div", { class: "stack close" });
  const list = h("ul", { class: "findings", "aria-label": words.findings });
  const labelled = (name) =>
    h("div", { class: "field" }, h("label", { class: "label", for: controls[name].id }, words[name]), controls[name], h("span", { class: "hint" }, words.hints[name]));
  const work = h(
    "div",
    { class: "stack", hidden: true },
    h("section", { class: "card check-what" }, labelled("trainer"), labelled("base"), labelled("trigger")),
    h("section", { class: "card stack" }, h("div", { class: "row" }, h("div", { class: "grow" }, sums), button(words.again, () => look(), "small")), written, list),
  );
  const nothing = h("div");
  const element = h("div", { class: "stack wide" }, folderBar(app, [words.first, words.firstHint]), nothing, work);
  let request = null;
  let known = null; // the trainers and base models, once they are here
  let shown = "";

  const asked = () => Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value.trim()]));
  const changed = () => {
    app.session.set("check", asked());
    look();
  };
  trainer.addEventListener("change", changed);
  base.addEventListener("change", changed);
  trigger.addEventListener("input", later(changed, SOON));

  const choose = async () => {
    known ??= await api.get("trainers");
    if (trainer.options.length) return;
    const option = (row) => h("option", { value: row.name }, row.title);
    fill(trainer, known.trainers.map((t) => h("option", { value: t.name }, t.name === "folder" ? words.anyTrainer : t.title)));
    fill(base, h("option", { value: "" }, words.anyBase), known.bases.map(option));
    const before = app.session.get("check", {});
    trainer.value = known.trainers.some((t) => t.name === before.trainer) ? before.trainer : "folder";
    base.value = known.bases.some((b) => b.name === before.base) ? before.base : "";
    trigger.value = before.trigger ?? app.value("trigger") ?? "";
  };

  const look = async () => {
    const folder = app.folder;
    if (!folder) return;
    request?.abort();
    const mine = (request = new AbortController());
    const waiting = setTimeout(() => fill(sums, h("span", { class: "muted" }, words.looking)), SOON);
    try {
      await choose();
      const found = await api.get(`datasets/${folder.id}/lint`, { ...asked(), limit: MOST }, mine.signal);
      if (mine === request) draw(found);
    } catch (error) {
      if (mine !== request || error.name === "AbortError") return;
      fill(sums);
      fill(list, h("li", {}, trouble(error.message, look)));
    } finally {
      clearTimeout(waiting);
    }
  };
  const draw = (found) => {
    const levels = ["error", "warning", "note"].map((level) => [level, found.findings.filter((f) => f.level === level).length]);
    fill(
      sums,
      h("span", { class: "badge" }, words.looked(found.pictures, found.captions)),
      levels.filter(([, n]) => n).map(([level, n]) => h("span", { class: `badge ${COLORS[level]}` }, words.levels[level](n))),
      h("span", { class: "muted small" }, found.breaks ? words.breaks : words.fine),
    );
    fill(list, found.findings.length ? found.findings.map(drawFinding) : h("li", {}, empty(words.clean, words.cleanHint)));
  };
  const drawFinding = (finding) =>
    h(
      "li",
      { class: "finding", data: { code: finding.code } },
      h(
        "div",
        { class: "row tight finding-head" },
        h("span", { class: `badge ${COLORS[finding.level]}` }, words.level[finding.level]),
        h("span", { class: "grow wrap" }, finding.text),
        finding.mend && button(words.mend, () => mend(finding), "small", { title: finding.mend }),
      ),
      finding.mend && h("p", { class: "hint" }, finding.mend),
      pictures(finding),
    );
  const pictures = (finding) => {
    const shownNow = finding.pictures.filter((p) => p.id).slice(0, PICTURES);
    const named = finding.pictures.some((p) => p.detail || !p.id) || finding.pictures.length > shownNow.length;
    return [
      shownNow.length > 0 && h("div", { class: "finding-pictures" }, shownNow.map((p) => thumbnail(app.folder.id, p.name))),
      named &&
        h(
          "details",
          { class: "fold" },
          h("summary", {}, words.names, h("span", { class: "badge" }, words.amount(finding.count))),
          h(
            "ul",
            { class: "inside finding-names" },
            finding.pictures.map((p) => h("li", { class: "wrap" }, p.name, p.detail && h("span", { class: "muted" }, ` ${p.detail}`))),
            finding.count > finding.pictures.length && h("li", { class: "muted" }, words.more(finding.count - finding.pictures.length)),
          ),
        ),
    ];
  };

  /** Mend one kind of finding: a run, with a way back. */
  const mend = async (finding) => {
    try {
      const { mended } = await api.post(`datasets/${app.folder.id}/lint/mend`, { ...asked(), codes: [finding.code] });
      const [{ run, changed: n, failures }] = mended;
      const failed = failures.length ? ` ${texts.undo.failed(failures.length)} ${failures[0].reason}` : "";
      fill(
        written,
        note(
          failed ? "warn" : "good",
          h("span", { role: "status", class: "wrap grow" }, words.mended(n), failed),
          run && button(words.undo, async () => (await undoRun(app, run)) && (fill(written), app.tell("written"), look()), "small"),
          button("×", () => fill(written), "plain icon small", { "aria-label": texts.common.close }),
        ),
      );
      app.tell("written");
    } catch (error) {
      fill(written, trouble(error.message));
    }
    await look();
  };

  const show = () => {
    const folder = app.folder;
    work.hidden = !folder || folder.images === 0;
    if (app.opening || !element.isConnected) return;
    if (work.hidden) {
      shown = "";
      return void fill(nothing, folder && empty(texts.folder.empty));
    }
    fill(nothing);
    if (folder.id !== shown) {
      fill(written);
      fill(sums);
      fill(list, h("li", {}, loading(160)));
    }
    shown = folder.id;
    look();
  };
  app.on("folder", show);
  return { element, show, hide: () => request?.abort() };
}
