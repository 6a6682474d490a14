// Boxes: [x0, y0, x1, y1] as fractions of the picture, from its upper left corner, with 3 decimals. The same as
// generation/places.py, which a test compares.

export const LEAST = 0.02;
const EDGES = { n: 1, s: 3, w: 0, e: 2 };

const round = (n) => Math.round(n * 1000) / 1000;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export function grid(down, across) {
  const cut = (n) => Array.from({ length: n + 1 }, (_, i) => round(i / n));
  const [xs, ys] = [cut(across), cut(down)];
  return Array.from({ length: down * across }, (_, n) => {
    const [j, i] = [Math.floor(n / across), n % across];
    return [xs[i], ys[j], xs[i + 1], ys[j + 1]];
  });
}

export const columns = (count) => grid(1, count);
export const rows = (count) => grid(count, 1);

/** `count` boxes in a grid as near to the picture's shape as it goes; the last row is filled by wider ones. */
export function tiles(count, aspect = 1) {
  const across = clamp(Math.round(Math.sqrt(count * aspect)), Math.min(2, count), count);
  const down = Math.ceil(count / across);
  const last = count - across * (down - 1);
  const upper = grid(down, across).slice(0, count - last);
  const y0 = round((down - 1) / down);
  return [...upper, ...columns(last).map(([x0, , x1]) => [x0, y0, x1, 1])];
}

export const ARRANGE = { columns, rows, grid: tiles };

const same = (a, b) => a.every((v, i) => Math.abs(v - b[i]) < 1e-6);

/** Which arrangement these boxes are, or "". */
export function arrangement(boxes, aspect) {
  return Object.keys(ARRANGE).find((kind) => ARRANGE[kind](boxes.length, aspect).every((b, i) => same(b, boxes[i]))) ?? "";
}

/** Boxes for one character more: arranged ones stay arranged, among drawn ones the new one gets free room. */
export function withOneMore(boxes, aspect) {
  if (boxes.length === 0) return [[0, 0, 1, 1]];
  const kind = arrangement(boxes, aspect);
  if (kind) return ARRANGE[boxes.length === 1 ? (aspect < 1 / 1.5 ? "rows" : "columns") : kind](boxes.length + 1, aspect);
  const tried = [0, 0.25, 0.5, 0.75].flatMap((x) => [0.5, 0].map((y) => [x * 0.9, y, x * 0.9 + 0.3, y + 0.5].map(round)));
  const covered = (box) => boxes.reduce((sum, b) => sum + overlap(box, b), 0);
  const best = tried.reduce((a, b) => (covered(b) < covered(a) ? b : a));
  return [...boxes, best];
}

function overlap(a, b) {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? w * h : 0;
}

export const isWhole = (box) => same(box, [0, 0, 1, 1]);

/** A box moved as a whole; it stays inside. */
export function moved(box, dx, dy) {
  const x = clamp(dx, -box[0], 1 - box[2]);
  const y = clamp(dy, -box[1], 1 - box[3]);
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y].map(round);
}

/** A box with some edges ("n", "se", …) moved; it keeps its least size. */
export function resized(box, edges, dx, dy) {
  const now = [...box];
  for (const edge of edges) {
    const i = EDGES[edge];
    const by = i % 2 ? dy : dx;
    now[i] = i < 2 ? clamp(box[i] + by, 0, box[i + 2] - LEAST) : clamp(box[i] + by, box[i - 2] + LEAST, 1);
  }
  return now.map(round);
}

/** The box between two points, or null when it is too small to be meant. */
export function drawn([ax, ay], [bx, by]) {
  const box = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)].map((v) => round(clamp(v, 0, 1)));
  return box[2] - box[0] >= LEAST && box[3] - box[1] >= LEAST ? box : null;
}

/** Where edges of boxes like to be: the picture's edges and middle, other boxes' edges. [[x …], [y …]] */
export function lines(others) {
  const at = (i) => [...new Set([0, 0.5, 1, ...others.flatMap((b) => [b[i], b[i + 2]])])];
  return [at(0), at(1)];
}

const nearest = (value, marks, reach) => {
  const mark = marks.reduce((a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a), Infinity);
  return Math.abs(mark - value) <= reach ? mark : null;
};

/**
 * How much further (dx, dy) a box has to go to lie on lines within reach: [dx, dy, [x, y]] with the lines met, null for
 * none. `edges`: which of its edges count; all when the whole box moves.
 */
export function snap(box, marks, [reachX, reachY], edges = "nsew") {
  const best = [null, null];
  for (const edge of edges) {
    const i = EDGES[edge];
    const axis = i % 2;
    const mark = nearest(box[i], marks[axis], axis ? reachY : reachX);
    if (mark === null) continue;
    const by = mark - box[i];
    if (best[axis] === null || Math.abs(by) < Math.abs(best[axis][0])) best[axis] = [by, mark];
  }
  return [best[0]?.[0] ?? 0, best[1]?.[0] ?? 0, [best[0]?.[1] ?? null, best[1]?.[1] ?? null]];
}
