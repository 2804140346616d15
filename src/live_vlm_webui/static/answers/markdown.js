// Convert models' Markdown to document nodes. Text becomes text nodes only: no markup of the model gets into the page,
// links are shown as text, images are not loaded.

import { make } from "../common/dom.js";

const LONGEST_LINE = 4000; // a longer line is shown as is: it is not meant for people, and parsing it is slow
const DEEPEST = 8;
const FENCE = /^\s*(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^(\s*)[-*+]\s+(.*)$/;
const NUMBERED = /^(\s*)(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const ROW = /^\s*\|(.+)\|\s*$/;
const UNDER_HEADER = /^[\s|:-]+$/;
const APART = new Set(["P", "LI", "UL", "OL", "TD", "TH", "PRE", "BLOCKQUOTE", "BR"]);
const SPAN = /(`+)(.+?)\1|(\*\*|__)(?=\S)(.+?)\3|(?<![\w*])([*_])(?=\S)([^*_]+?)\5(?!\w)|!?\[([^\]]*)\]\(([^)\s]*)\)/;

/** Replace the content of `target` with `text`. */
export function render(target, text) {
  target.replaceChildren(...blocks(text.split(/\r?\n/), 0));
}

/** Return `text` without Markdown, on one line, for small spaces and screen readers. */
export function plain(text) {
  return blocks(text.split(/\r?\n/), 0).map(words).join(" ").replace(/\s+/g, " ").trim();
}

/** Return a node's text, with its blocks separated. */
function words(node) {
  const inner = node.childNodes.length ? [...node.childNodes].map(words).join("") : node.textContent;
  return APART.has(node.nodeName) ? ` ${inner} ` : inner;
}

function blocks(lines, depth) {
  const made = [];
  let paragraph = [];
  const end = () => {
    if (paragraph.length) made.push(make("p", {}, ...withBreaks(paragraph)));
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const block = blockAt(lines, at, depth);
    if (block) {
      end();
      if (block.node) made.push(block.node);
      at = block.next;
    } else {
      paragraph.push(lines[at]);
      at += 1;
    }
  }
  end();
  return made;
}

/** Return the block that starts at a line, and the line after it; null for paragraph text. */
function blockAt(lines, at, depth) {
  const line = lines[at];
  if (!line.trim()) return { next: at + 1 };
  if (line.length > LONGEST_LINE || depth > DEEPEST) return null;
  if (FENCE.test(line)) return code(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return { node: make("p", { class: "heading" }, ...spans(heading[2])), next: at + 1 };
  if (RULE.test(line)) return { node: make("hr"), next: at + 1 };
  if (BULLET.test(line) || NUMBERED.test(line)) return list(lines, at, depth);
  if (QUOTE.test(line)) return gather(lines, at, QUOTE, (inner) => make("blockquote", {}, ...blocks(inner, depth + 1)));
  if (ROW.test(line) && UNDER_HEADER.test(lines[at + 1] ?? "")) return table(lines, at);
  return null;
}

function code(lines, at) {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end])) end += 1;
  return { node: make("pre", {}, make("code", {}, lines.slice(at + 1, end).join("\n"))), next: end + 1 };
}

/** Return a list, with indented lines as nested blocks. */
function list(lines, at, depth) {
  const indent = /^\s*/.exec(lines[at])[0].length;
  const first = NUMBERED.exec(lines[at]);
  const node = make(first ? "ol" : "ul", first ? { start: Number(first[2]) } : {});
  let next = at;
  while (next < lines.length) {
    const entry = first ? NUMBERED.exec(lines[next]) : BULLET.exec(lines[next]);
    if (!entry || entry[1].length !== indent) break;
    let end = next + 1;
    while (end < lines.length && lines[end].trim() && /^\s*/.exec(lines[end])[0].length > indent) end += 1;
    const item = make("li", {}, ...spans(entry.at(-1)), ...blocks(lines.slice(next + 1, end), depth + 1));
    node.append(item);
    next = end;
    while (!lines[next]?.trim() && isEntry(lines[next + 1], first)) next += 1; // a blank line between entries
  }
  return { node, next };
}

const isEntry = (line, numbered) => line !== undefined && (numbered ? NUMBERED : BULLET).test(line);

function gather(lines, at, pattern, wrap) {
  const inner = [];
  let next = at;
  for (; next < lines.length && pattern.test(lines[next]); next += 1) inner.push(pattern.exec(lines[next])[1]);
  return { node: wrap(inner), next };
}

function table(lines, at) {
  const row = (line, tag) =>
    make("tr", {}, ...ROW.exec(line)[1].split("|").map((cell) => make(tag, {}, ...spans(cell.trim()))));
  const body = make("tbody");
  let next = at + 2;
  for (; next < lines.length && ROW.test(lines[next]); next += 1) body.append(row(lines[next], "td"));
  return { node: make("table", {}, make("thead", {}, row(lines[at], "th")), body), next };
}

function withBreaks(lines) {
  return lines.flatMap((line, at) => (at ? [make("br"), ...spans(line.trim())] : spans(line.trim())));
}

/** Return a line's text with code, strong and emphasised parts. */
function spans(text) {
  if (text.length > LONGEST_LINE) return [text];
  const made = [];
  let rest = text;
  for (let found = SPAN.exec(rest); found; found = SPAN.exec(rest)) {
    const [whole, ticks, inCode, , strong, , emphasis, label, address] = found;
    if (found.index) made.push(rest.slice(0, found.index));
    if (ticks) made.push(make("code", {}, inCode));
    else if (strong !== undefined) made.push(make("strong", {}, ...spans(strong)));
    else if (emphasis !== undefined) made.push(make("em", {}, ...spans(emphasis)));
    else made.push([label, address && `(${address})`].filter(Boolean).join(" "));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) made.push(rest);
  return made;
}
