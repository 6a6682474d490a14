// The filter as a text: terms put in and taken out by a click.

/** A term that means pictures with exactly this tag ("tag") or without it ("missing"). */
export function tagTerm(tag, field = "tag") {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_\-+.!']*$/u.test(tag) ? `${field}:${tag}` : `${field}:"${tag.replaceAll('"', "")}"`;
}

/** The terms of a filter on its outermost level, as they are written. */
export function split(filter) {
  const terms = [];
  let from = -1;
  let depth = 0;
  let quoted = "";
  for (let i = 0; i <= filter.length; i += 1) {
    const c = filter[i] ?? " ";
    if (quoted) {
      if (c === quoted) quoted = "";
    } else if (c === '"' || (c === "/" && from < 0)) quoted = c;
    else if (c === "(") depth += 1;
    else if (c === ")") depth -= 1;
    const ends = i === filter.length || (!quoted && depth === 0 && /\s/.test(c));
    if (ends && from >= 0) {
      terms.push(filter.slice(from, i));
      from = -1;
    } else if (!ends && from < 0) from = i;
  }
  return terms;
}

export const has = (filter, term) => split(filter).includes(term);

/** With `term` besides what is there; without it when it is there. */
export function toggled(filter, term) {
  const terms = split(filter);
  if (terms.includes(term)) {
    const left = terms.filter((t) => t !== term);
    // brackets that were put there for this term's sake are not needed alone
    const lone = left.length === 1 && /^\((.*)\)$/s.exec(left[0]);
    return lone && split(lone[1]).length > 1 && !/[()]/.test(lone[1]) ? lone[1] : left.join(" ");
  }
  const either = terms.some((t) => t.toLowerCase() === "or");
  return [...(either ? [`(${filter.trim()})`] : terms), term].join(" ");
}
