// The open panel: its parts, one below the other, and what they share.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { note, trouble } from "../parts/states.mjs";
import { toasts } from "../parts/toast.mjs";
import { backgroundSection } from "./background.mjs";
import { castList } from "./cast_list.mjs";
import { checkSection } from "./check.mjs";
import { Drawing } from "./drawing.mjs";
import { editor } from "./editor.mjs";
import { expandSection } from "./expand.mjs";
import { checkpoint } from "./host.mjs";
import { libraryButton } from "./library.mjs";
import { pictureIntake } from "./picture.mjs";
import { preview } from "./preview.mjs";
import { separationSection, unfitNote } from "./separation.mjs";
import { textFields } from "./text_fields.mjs";
import { texts } from "./texts.mjs";

const AWAY = 5000;
const LOADING = [1500, 8000];
const HOST_KEYS = ["Enter"]; // with Ctrl: Generate

/** Build it in `root`. `tab`: txt2img or img2img. */
export function panel({ tab, store, root }) {
  const { element: toastPlace, say } = toasts();
  // `facts`: what GET /panel says, `loras`: what GET /loras says; null until they are known
  const context = { tab, store, place: root, say, facts: null, loras: null, refreshLoras: null };
  context.drawing = new Drawing(context);
  const problem = h("div", { class: "problem" });
  const stage = editor(context);
  const intake = pictureIntake(context, stage);
  const undo = button("↶", () => store.undo(), "small icon", { disabled: true, "aria-label": texts.undo, title: texts.undo });
  const shell = h(
    "div",
    { class: "shell panel stack wide" },
    problem,
    h(
      "section",
      { class: "stack cast" },
      h("div", { class: "row title" }, h("h3", { class: "grow" }, texts.cast.title), undo, intake.button, libraryButton(context)),
      h("div", { class: "cast-grid" }, h("div", { class: "stack close" }, stage.element, unfitNote(context)), castList(context, stage)),
    ),
    textFields(context),
    h("div", {}, expandSection(context), backgroundSection(context), separationSection(context), checkSection(context)),
    preview(context),
  );
  intake.watch(shell);

  const show = () => {
    shell.toggleAttribute("data-off", !store.state.enabled);
    undo.disabled = !store.canUndo;
    const words = texts.problems[store.problem] ?? store.problem;
    if (problem.dataset.shown === words) return;
    problem.dataset.shown = words;
    fill(problem, words && note("bad", h("span", { role: "alert" }, words)));
  };
  store.on("change", ({ live }) => !live && show());
  store.on("kept", show);
  show();

  const learn = async () => {
    try {
      context.facts = await api.get("panel");
      fill(failed);
      store.tell("facts");
    } catch (error) {
      fill(failed, trouble(error.message, learn));
    }
  };
  context.refreshLoras = async () => {
    try {
      context.loras = await api.get("loras");
      context.lorasError = "";
    } catch (error) {
      context.lorasError = error.message;
    }
    store.tell("loras");
  };
  const failed = h("div", { class: "problem" });
  shell.prepend(failed);
  const ask = () => {
    learn();
    context.refreshLoras();
  };
  ask();
  // another checkpoint takes other LoRAs, and perhaps no regions; files come and go while nobody looks
  let [named, seen] = [checkpoint(), Date.now()];
  store.on("look", () => {
    const before = seen;
    seen = Date.now();
    if (checkpoint() !== named) for (const ms of LOADING) setTimeout(ask, ms);
    else if (seen - before > AWAY) ask();
    named = checkpoint();
  });

  // the WebUI's shortcuts must not act on what is typed here, Generate excepted
  root.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && HOST_KEYS.includes(event.key)) return;
    if (event.target.matches("input, textarea, select, [tabindex]")) event.stopPropagation();
  });
  root.append(shell, toastPlace);
}
