// The models' own Python: set up on first use, with its size and progress shown.

import { api, follow } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { bytes, texts } from "../texts.mjs";
import { button } from "./button.mjs";
import { progress } from "./states.mjs";

const words = texts.environment;
const LINES = 200;

/** What is being done to the environment, if anything: a bar, the last lines, a way to stop. */
export function environmentProgress(app) {
  const element = h("div", { class: "stack close", hidden: true });
  if (app.state.environment.doing) watch(app, element);
  return element;
}

function watch(app, element) {
  const bar = progress(words.making);
  const last = h("p", { class: "hint cut", "aria-live": "polite" }, words.making);
  const log = h("pre", { class: "log", tabIndex: 0 });
  const stop = button(words.stop, () => api.post("environment", { action: "stop" }).catch((e) => app.say(e.message, "bad")), "small");
  element.hidden = false;
  fill(
    element,
    h("div", { class: "row" }, h("div", { class: "grow" }, bar), stop),
    last,
    h("details", {}, h("summary", { class: "hint" }, words.log), log),
  );
  const end = follow("environment/events", {
    onEvent: async (event) => {
      if (!element.isConnected) return end(); // the dialog it was shown in is closed
      if (event.line) {
        last.textContent = event.line;
        log.append(`${event.line}\n`);
        while (log.childNodes.length > LINES) log.firstChild.remove();
        log.scrollTop = log.scrollHeight;
      }
      if (event.total) bar.set({ done: event.done, total: event.total });
      if (event.event !== "finished") return;
      end();
      element.hidden = true;
      if (event.error && !event.stopped) app.say(event.error, "bad");
      await app.refresh().catch(() => {});
    },
    onTrouble: (sentence) => sentence && (last.textContent = sentence),
  });
}

/** The card of the first use; it is not there when models can run. */
export function environmentCard(app) {
  const element = h("section", { class: "card stack", hidden: true });
  let drawn = "";
  const draw = () => {
    const env = app.state.environment;
    // the state is asked for every few seconds; what is in the card goes on meanwhile
    const now = JSON.stringify([env.ready, env.doing, env.bytes, env.problem]);
    if (now === drawn) return;
    drawn = now;
    element.hidden = env.ready && !env.doing;
    if (element.hidden) return;
    const broken = Boolean(env.bytes);
    const size = env.needs ?? 0;
    const begin = async (action) => {
      try {
        await api.post("environment", { action });
        await app.refresh();
      } catch (error) {
        app.say(error.message, "bad");
      }
    };
    fill(
      element,
      h("h2", {}, broken ? words.broken : words.title),
      h("p", {}, broken && env.problem ? env.problem : words.why),
      !broken && size > 0 && h("p", { class: "muted" }, words.size(bytes(size))),
      !env.doing &&
        h(
          "div",
          { class: "row" },
          broken
            ? [
                button(words.repair, () => begin("repair"), "primary"),
                button(words.remove, () => begin("remove"), "danger"),
              ]
            : button(words.make, () => begin("make"), "primary"),
        ),
      environmentProgress(app),
    );
  };
  app.on("state", draw);
  draw();
  return element;
}
