// One picture of the folder and its caption, as the settings would have it: followed live.

import { api } from "../../api.mjs";
import { fill, h, later } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { diff } from "../../parts/diff.mjs";
import { loading, note, progress } from "../../parts/states.mjs";
import { answerLine } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";
import { thumbnail } from "./pictures.mjs";
import { Tracker } from "./tracker.mjs";

const words = texts.sample;
const WAIT = 300;

/** The card; `element.look()` fetches the picture anew (a folder was opened, captions were written). */
export function sampleCard(app) {
  let at = 0;
  let total = 0;
  let row = null;
  let asked = 0;
  let tracker = null;
  const head = h("div", { class: "row" });
  const body = h("div", { class: "sample" });
  const result = h("div", { class: "stack close", "aria-live": "polite" });
  const element = h("section", { class: "card stack" }, head, body);

  const step = (by) => {
    at = (at + by + total) % total;
    look();
  };
  const drawHead = () =>
    fill(
      head,
      h("h2", { class: "grow" }, words.title),
      total > 1 && [
        h("span", { class: "hint" }, words.of(at + 1, total)),
        button("‹", () => step(-1), "small icon", { "aria-label": words.previous, title: words.previous }),
        button("›", () => step(1), "small icon", { "aria-label": words.next, title: words.next }),
      ],
    );
  const look = async () => {
    const folder = app.folder;
    if (!folder || folder.images === 0) return;
    tracker?.close();
    tracker = null;
    const mine = (asked += 1);
    if (!row) fill(body, loading(160));
    try {
      const answer = await api.get(`datasets/${folder.id}/images`, { offset: at, limit: 1, sort: "name" });
      if (mine !== asked) return;
      total = answer.total;
      [row] = answer.rows;
      if (!row && at > 0) {
        at = 0;
        return look();
      }
    } catch (error) {
      if (mine === asked) fill(body, note("bad", h("span", {}, error.message)));
      return;
    }
    drawHead();
    if (!row) return void fill(body, note("", h("span", {}, texts.folder.empty)));
    fill(
      body,
      thumbnail(folder.id, row.name, 384),
      h("div", { class: "stack" }, h("div", { class: "name wrap" }, row.name), result),
    );
    if (row.analysed) fill(result, loading(60));
    compose();
  };
  const compose = async () => {
    if (!row || !app.folder) return;
    const mine = (asked += 1);
    // nothing is known of it by any model: asking would be an error
    if (!row.analysed) return void drawUnknown("");
    try {
      const answer = await api.post(`datasets/${app.folder.id}/compose`, { image: row.name, config: app.config() });
      if (mine === asked) drawResult(answer);
    } catch (error) {
      if (mine !== asked) return;
      // the models have not seen it yet, or the settings do not go together
      const other = app.setting(error.field) || error.status === 0 || error.status >= 500;
      drawUnknown(other ? error.message : "");
    }
  };
  const now = () => h("div", {}, h("h3", { class: "hint" }, words.now), h("p", { class: "diff" }, row.caption || h("span", { class: "muted" }, words.noCaption)));
  const drawResult = ({ caption, before, dropped, reason, answers, missing = [] }) => {
    row.caption = before ?? "";
    fill(
      result,
      row.caption ? now() : null,
      h(
        "div",
        {},
        h("h3", { class: "hint" }, words.then),
        caption === row.caption.trim() ? h("p", { class: "muted" }, words.unchanged) : diff(row.caption || null, caption),
      ),
      answers?.length > 0 && answerLine(answers, app.value("answer_threshold")),
      missing.length > 0 && [h("p", { class: "hint" }, words.missing(missing)), h("div", {}, button(words.try, tryIt, "small"))],
      reason && h("p", {}, h("span", { class: "badge warn" }, `${texts.job.notSeparated}: ${reason}`)),
      dropped?.length > 0 &&
        h(
          "details",
          { class: "dropped" },
          h("summary", { class: "hint" }, words.dropped(dropped.length)),
          h("ul", { class: "hint" }, dropped.map((d) => h("li", {}, h("strong", {}, d.name), ` ${d.reason}`))),
        ),
    );
  };
  const drawUnknown = (problem) =>
    fill(
      result,
      now(),
      problem
        ? note("warn", h("span", {}, problem))
        : [
            h("p", { class: "hint" }, words.notYet),
            h("div", {}, button(words.try, tryIt, "small")),
          ],
    );
  const tryIt = async () => {
    const bar = progress(words.trying);
    const line = h("p", { class: "hint" }, words.trying);
    fill(result, bar, line);
    try {
      const { id } = await api.post("jobs", { folder: app.folder.id, kind: "preview", config: app.config(), names: [row.name] });
      const mine = (tracker = new Tracker(id));
      mine.addEventListener("change", () => {
        if (!mine.phase) return;
        line.textContent = mine.phase.what;
        bar.set({ done: mine.phase.done, total: mine.phase.total });
      });
      await mine.watch();
      if (mine !== tracker) return; // another picture, or another folder
      tracker = null;
      const [failure] = mine.failures;
      const problem = mine.info?.error || failure?.reason;
      if (problem) return void fill(result, now(), note("bad", h("span", {}, problem)), h("div", {}, button(words.try, tryIt, "small")));
      row.analysed = true;
      await compose();
      app.refresh().catch(() => {});
    } catch (error) {
      if (row) fill(result, now(), note("bad", h("span", {}, error.message)), h("div", {}, button(words.try, tryIt, "small")));
    }
  };

  const follow = later(() => !tracker && compose(), WAIT);
  app.on("config", follow);
  element.look = look;
  /** Another folder: what was asked about the old one no longer counts. */
  element.reset = () => {
    asked += 1;
    tracker?.close();
    tracker = null;
    at = 0;
    row = null;
  };
  drawHead();
  return element;
}
