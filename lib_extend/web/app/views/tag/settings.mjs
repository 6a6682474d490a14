// The settings of a run: the few that matter first, all others in foldable groups as the server describes them.

import { fill, h } from "../../dom.mjs";
import { field } from "../../parts/field.mjs";
import { groups, texts } from "../../texts.mjs";
import { formatField } from "./format.mjs";
import { modelField, OF_SEVERAL } from "./models.mjs";
import { presets } from "./presets.mjs";
import { questionField } from "./questions.mjs";

const words = texts.settings;

// what has a widget of its own above the groups, or beside the folder
const SECTIONS = [
  [words.sectionModels, ["tagger", "vlm"]],
  [words.sectionQuestions, ["ask", "answer_threshold"]],
  [words.sectionTags, ["threshold", "character_threshold"]],
  [words.sectionCaption, ["existing", "format", "people", "prose"]],
];
const ELSEWHERE = ["recursive", "question", "vlm_model", ...OF_SEVERAL];
const OWN_HINT = { people: words.peopleHelp, existing: "" };

const MAKERS = {
  tagger: (app) => modelField(app, "tagger"),
  vlm: (app) => modelField(app, "vlm"),
  ask: questionField,
  format: formatField,
};

/** The panel; `element.fail(error)` shows a refusal beside the setting it is about, and returns whether it could. */
export function settingsPanel(app) {
  const fields = new Map();
  const make = (name) => {
    const setting = app.setting(name);
    if (!setting) return null;
    const folder = () => app.folder?.id ?? "";
    const options = name in OWN_HINT ? { hint: OWN_HINT[name], folder } : { folder };
    const element =
      MAKERS[name]?.(app) ?? field(setting, app.value(name), (value) => (busy.add(name), app.change({ [name]: value }), busy.delete(name)), options);
    fields.set(name, element);
    return element;
  };
  // a field that is being typed into is not written back into
  const busy = new Set();

  const main = SECTIONS.map(([title, names]) => h("section", { class: "stack close settings-part" }, h("h3", {}, title), names.map(make)));
  const shown = new Set([...SECTIONS.flatMap(([, names]) => names), ...ELSEWHERE]);
  const folds = app.groups
    .map(({ name, title }) => [groups[name] ?? title, app.settings.filter((s) => s.group === name && !shown.has(s.name)).map((s) => s.name)])
    .filter(([, names]) => names.length > 0)
    .map(([title, names]) => {
      const badge = h("span", { class: "badge accent", hidden: true });
      const inside = h("div", { class: "inside" });
      const fold = h("details", { class: "fold" }, h("summary", {}, title, badge), inside);
      // forty widgets are made when somebody looks
      const open = () => inside.childNodes.length === 0 && fill(inside, names.map(make));
      fold.addEventListener("toggle", () => fold.open && open());
      const count = () => {
        const n = app.changedIn(names);
        badge.hidden = n === 0;
        badge.textContent = words.changed(n);
      };
      count();
      return { fold, names, open, count };
    });

  const element = h(
    "section",
    { class: "card settings" },
    h("header", {}, h("h2", {}, words.title), presets(app)),
    h("div", { class: "stack wide" }, main),
    h("h3", { class: "more" }, words.more),
    h("div", {}, folds.map((f) => f.fold)),
  );
  app.on("config", (names) => {
    for (const [name, widget] of fields) {
      const touched = names === null || names.includes(name) || name === "ask" || name === "format";
      if (touched && !busy.has(name)) widget.set(app.value(name));
    }
    for (const f of folds) f.count();
  });
  element.fail = (error) => {
    for (const widget of fields.values()) widget.fail?.("");
    if (!error?.field || !app.setting(error.field)) return false;
    const fold = folds.find((f) => f.names.includes(error.field));
    if (fold) {
      fold.open();
      fold.fold.open = true;
    }
    const widget = fields.get(error.field);
    widget?.fail?.(error.message);
    widget?.scrollIntoView({ block: "center", behavior: "smooth" });
    return Boolean(widget);
  };
  return element;
}
