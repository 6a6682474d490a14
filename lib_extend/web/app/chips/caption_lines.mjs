// A caption text as lines of pieces, as the server reads it, and changes of it. Nothing that is not meant changes:
// `write(lines)` is the text again, to the letter.

/**
 * A line: { pieces: [{ raw, name, kind, category }], gaps: [one more than pieces], ending, one_a_line }.
 * All functions give new lines and leave those they get alone.
 */
export function write(lines) {
  return lines.map(({ pieces, gaps, ending }) => gaps[0] + pieces.map((piece, n) => piece.raw + gaps[n + 1]).join("") + ending).join("");
}

const SEPARATES = /[,，、\n]|;;;/;
const separator = (piece) => piece?.kind === "separator";

/** What stands between the tags of a line: what does most often, else `otherwise`. */
export function between({ pieces, gaps, one_a_line: oneALine }, otherwise = ", ") {
  const counts = new Map();
  for (let n = 1; n < pieces.length; n += 1) {
    if (!separator(pieces[n - 1]) && !separator(pieces[n]) && SEPARATES.test(gaps[n])) counts.set(gaps[n], (counts.get(gaps[n]) ?? 0) + 1);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1] || (b[0] === otherwise) - (a[0] === otherwise))[0];
  return most ? most[0] : oneALine ? "\n" : otherwise;
}

/** The gap between two pieces that are neighbors now; `had`: gaps that stood there before. */
function gap(line, left, right, had, otherwise) {
  if (separator(left) || separator(right)) return had.find((g) => g.trim() === "" && g !== "") ?? " ";
  return had.find((g) => SEPARATES.test(g)) ?? between(line, otherwise);
}

function changed(lines, at, pieces, gaps) {
  return lines.map((line, n) => (n === at ? { ...line, pieces, gaps } : line));
}

/** Without the n-th piece of a line. */
export function without(lines, at, n, otherwise) {
  const line = lines[at];
  const pieces = line.pieces.toSpliced(n, 1);
  const [before, after] = [line.gaps[n], line.gaps[n + 1]];
  let joint;
  if (pieces.length === 0) joint = (before + after).replaceAll(/[,，、]/g, "").trim();
  else if (n === 0) joint = before;
  else if (n === pieces.length) joint = after;
  else joint = gap(line, pieces[n - 1], pieces[n], [before, after], otherwise);
  return changed(lines, at, pieces, line.gaps.toSpliced(n, 2, joint));
}

/** With a piece before the n-th of a line (behind all: n is their number). */
export function inserted(lines, at, n, piece, otherwise) {
  const line = lines[at];
  const pieces = line.pieces.toSpliced(n, 0, piece);
  const was = line.gaps[n];
  let gaps;
  if (line.pieces.length === 0) gaps = ["", was.trim() ? was : ""];
  else if (n === 0) gaps = [was, gap(line, piece, pieces[1], [], otherwise)];
  else if (n === line.pieces.length) gaps = [gap(line, pieces[n - 1], piece, [], otherwise), was];
  else gaps = [gap(line, pieces[n - 1], piece, [was], otherwise), gap(line, piece, pieces[n + 1], [was], otherwise)];
  return changed(lines, at, pieces, line.gaps.toSpliced(n, 1, ...gaps));
}

/** The n-th piece of a line moved before what is the m-th of another (or the same) line once it is taken out. */
export function moved(lines, at, n, to, m, otherwise) {
  if (at === to && n === m) return lines;
  const piece = lines[at].pieces[n];
  return inserted(without(lines, at, n, otherwise), to, m, piece, otherwise);
}

/** The n-th piece of a line written otherwise. */
export function respelled(lines, at, n, raw) {
  const line = lines[at];
  return changed(lines, at, line.pieces.with(n, { ...line.pieces[n], raw }), line.gaps);
}

/** Where a new tag goes: the first line with a piece, else the first line. */
export const head = (lines) => Math.max(0, lines.findIndex((line) => line.pieces.length > 0));

/** A canonical name as tags of these lines are spelled; `style`: { underscores, escape }, where they do not show it. */
export function spelled(name, lines, style) {
  const raws = lines.flatMap((line) => line.pieces.filter((p) => p.kind === "tag").map((p) => p.raw));
  const many = raws.filter((raw) => /[a-z0-9][ _][a-z0-9]/i.test(raw));
  const underscores = many.length ? many.filter((raw) => raw.includes("_")).length * 2 > many.length : style.underscores;
  const escape = raws.some((raw) => /\\[()]/.test(raw)) || (style.escape && !raws.some((raw) => /\w[ _]\(/.test(raw)));
  // faces are no words: ^_^ keeps its line
  const words = underscores || !/[a-z0-9]/i.test(name) ? name : name.replaceAll(/(?<=[^\s_]{2,}|\d)_|_(?=[^\s_]{2,}|\()/g, " ");
  return escape ? words.replaceAll(/(?<!\\)[()]/g, "\\$&") : words;
}
