// Jobs that are running somewhere else than where the person looks: one line each, with the way there.

import { fill, h } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { button } from "./button.mjs";

const EVERY = 3000;
const alive = (job) => job.state === "running" || job.state === "paused";

/** The last part of a path. */
export const lastPart = (path) => (path ?? "").replace(/[\\/]+$/, "").split(/[\\/]/).pop() || path;

export function jobsBanner(app) {
  const element = h("div", { class: "stack close banner", hidden: true });
  const draw = () => {
    const view = app.session.get("view", "tag");
    const away = app.jobs.filter((job) => alive(job) && (view !== "tag" || job.folder !== app.folder?.id));
    element.hidden = away.length === 0;
    fill(
      element,
      away.map((job) => {
        const path = job.path ?? app.recent.find((f) => f.id === job.folder)?.path ?? (job.folder === app.folder?.id ? app.folder.path : "");
        return h(
          "div",
          { class: "note" },
          h("span", {}, texts.job.elsewhere(`${texts.job.state[job.state]} ${lastPart(path)}`.trim(), job.done + job.failed, job.images)),
          path &&
            button(
              texts.job.show,
              async () => {
                if (job.folder !== app.folder?.id) await app.openFolder(path);
                app.openView("tag");
              },
              "small",
            ),
        );
      }),
    );
  };
  app.on("jobs", draw);
  app.session.on("view", draw);
  app.on("folder", draw);
  let busy = false;
  setInterval(async () => {
    if (!app.state || !app.visible) return;
    try {
      await app.refreshJobs();
      // what is in memory changes with jobs
      const now = app.jobs.some(alive);
      if (now || busy) await app.refresh();
      busy = now;
    } catch {
      // the next look says more
    }
  }, EVERY);
  return element;
}
