// Pictures as they come out of a job: thumbnail, what happens to the caption, answers, persons.

import { original, thumb } from "../../api.mjs";
import { h } from "../../dom.mjs";
import { diff } from "../../parts/diff.mjs";
import { answerLine } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";

const words = texts.job;

/** A thumbnail that leads to the picture itself. */
export function thumbnail(folder, name, size = 192) {
  return h(
    "a",
    { class: "thumb", href: original(folder, name), target: "_blank", rel: "noopener", title: name },
    h("img", { src: thumb(folder, name, size), alt: name, loading: "lazy", decoding: "async" }),
  );
}

/** One picture of a job on `folder`. `preview`: nothing was written; `threshold`: of answers. */
export function pictureRow(folder, event, { preview, threshold }) {
  const fresh = event.changed && (event.before === null || event.before === undefined || event.before === "");
  const badge = !event.changed ? [preview ? words.wouldNot : words.unchanged, ""] : fresh ? [words.new, "good"] : null;
  const separated = event.persons?.length
    ? h("span", { class: "badge" }, words.persons(event.persons.length))
    : event.reason && h("span", { class: "badge warn", title: event.reason }, `${words.notSeparated}: ${event.reason}`);
  return h(
    "li",
    { class: "picture-row" },
    thumbnail(folder, event.path),
    h(
      "div",
      { class: "stack close" },
      h("div", { class: "row tight" }, h("span", { class: "name wrap" }, event.path), badge && h("span", { class: `badge ${badge[1]}` }, badge[0])),
      diff(event.changed ? (event.before ?? null) : null, event.caption),
      event.answers?.length > 0 && answerLine(event.answers, threshold),
      separated && h("div", { class: "row tight" }, separated),
    ),
  );
}

/** Failures, each with its reason. */
export function failureList(failures) {
  return h(
    "ul",
    { class: "failures" },
    failures.map((f) => h("li", { class: "wrap" }, h("strong", {}, f.path ?? f.name), " ", f.reason)),
  );
}
