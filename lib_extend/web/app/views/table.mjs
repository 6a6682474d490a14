// The views, in the order of their tabs. A view is a module with `view(app)` → { element, show(), hide() }; it is
// fetched when first shown. `show` is called each time it comes to the front, `hide` when another does.

export const VIEWS = [
  { id: "tag", load: () => import("./tag.mjs") },
  { id: "review", load: () => import("./review.mjs") },
  { id: "browse", load: () => import("./browse.mjs") },
  { id: "one", load: () => import("./one.mjs") },
  { id: "runs", load: () => import("./runs.mjs") },
];
