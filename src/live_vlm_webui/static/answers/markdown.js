// Convert models' Markdown to document nodes. Text becomes text nodes only: no markup of the model gets into the page,
// links lead only to web addresses, images are not loaded, formulas are left as they are, JSON is indented.

import { make } from "../common/dom.js";

const LONGEST_LINE = 4000; // a longer line is shown as is: it is not meant for people, and parsing it is slow
const DEEPEST = 8;
const LONGEST_FORMULA = 40; // lines
// \x60 is a backtick: the server takes the indentation from modules none of whose lines has an odd number of these.
const FENCE = /^\s*(\x60{3}|~~~)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^(\s*)[-*+]\s+(.*)$/;
const NUMBERED = /^(\s*)(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const ROW = /^\s*\|(.+)\|\s*$/;
const UNDER_HEADER = /^[\s|:-]+$/;
const APART = new Set(["P", "LI", "UL", "OL", "TD", "TH", "PRE", "BLOCKQUOTE", "BR"]);
const TASK = /^\[([ xX])\]\s+(.*)$/;
const FORMULA = /^\s*(\$\$|\\\[)/;
const SPAN = new RegExp(
  [
    /(\x60+)(.+?)\1/, // code
    /(\\\(.+?\\\)|\\\[.+?\\\]|\$\$.+?\$\$|\$(?=\S)[^$]*[\\^_{][^$]*(?<=\S)\$)/, // a formula; prices have none of its signs
    /(\*\*|__)(?=\S)(.+?)\4/,
    /(?<![\w*])([*_])(?=\S)([^*_]+?)\6(?!\w)/,
    /~~(?=\S)(.+?)~~/,
    /(!?)\[([^\]]*)\]\(([^)\s]*)\)/,
    /(https?:\/\/[^\s<>"'\x60*]*[\w/#=&-])/,
  ]
    .map(({ source }) => source)
    .join("|"),
);
const PART = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;

/** Replace the content of `target` with `text`. */
export function render(target, text) {
  const data = asJson(text);
  target.replaceChildren(...(data ? [shownJson(data)] : blocks(text.split(/\r?\n/), 0)));
}

/** Return the JSON that is all of `text`, in a fence or not, with indentation; "" if it is something else. */
function asJson(text) {
  const inner = text.trim().replace(/^```(?:json)?\s*\n([^]*?)\n\s*```$/i, "$1").trim();
  if (!/^[{[]/.test(inner)) return "";
  try {
    JSON.parse(inner);
  } catch {
    return ""; // not whole yet, or not JSON
  }
  return indented(inner);
}

/** Indent JSON as it is written: made from its values, numbers with many digits would differ. */
function indented(text) {
  let made = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [part] of text.matchAll(PART)) {
    if (part === "{" || part === "[") {
      depth += 1;
      made += part + line();
    } else if (part === "}" || part === "]") {
      depth -= 1;
      made = made.trimEnd();
      made += (/[{[]$/.test(made) ? "" : line()) + part;
    } else {
      made += part === "," ? part + line() : part === ":" ? ": " : part;
    }
  }
  return made;
}

function shownJson(text) {
  const made = [];
  let at = 0;
  for (const { 0: token, 1: string, 2: colon = "", index } of text.matchAll(TOKEN)) {
    const kind = string ? (colon ? "json-name" : "json-text") : "json-value";
    made.push(text.slice(at, index), make("span", { class: kind }, string ?? token), colon);
    at = index + token.length;
  }
  return make("pre", { class: "json" }, make("code", {}, ...made, text.slice(at)));
}

/** Return the text of an answer that is still coming without a strong part left open, whose asterisks would flash. */
export function closed(text) {
  const isOpen = (part) => part.slice(part.lastIndexOf("\n") + 1).replace(/\x60[^\x60]*\x60?/g, "").split("**").length % 2 === 0;
  if (!isOpen(text)) return text;
  const written = text.replace(/[\s*]+$/, "");
  return isOpen(written) ? `${written}**` : written;
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
  if (FORMULA.test(line)) return formula(lines, at);
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

/** Return a formula of several lines as it is; null if it ends in its first line, or never. */
function formula(lines, at) {
  const [, sign] = FORMULA.exec(lines[at]);
  const close = sign === "$$" ? "$$" : "\\]";
  if (lines[at].trim().indexOf(close, 2) > 0) return null;
  const end = lines.slice(at + 1, at + LONGEST_FORMULA).findIndex((line) => line.trimEnd().endsWith(close));
  if (end < 0) return null;
  const next = at + end + 2;
  return { node: make("pre", {}, lines.slice(at, next).join("\n")), next };
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
    const task = TASK.exec(entry.at(-1));
    const box = task ? [make("input", { type: "checkbox", disabled: true, checked: task[1] !== " " }), " "] : [];
    const item = make("li", { class: task ? "task" : "" }, ...box, ...spans(task?.[2] ?? entry.at(-1)), ...blocks(lines.slice(next + 1, end), depth + 1));
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
    const [whole, ticks, inCode, raw, , strong, , emphasis, struck, image, label, address, bare] = found;
    if (found.index) made.push(rest.slice(0, found.index));
    if (ticks) made.push(make("code", {}, inCode));
    else if (raw) made.push(raw);
    else if (strong !== undefined) made.push(make("strong", {}, ...spans(strong)));
    else if (emphasis !== undefined) made.push(make("em", {}, ...spans(emphasis)));
    else if (struck !== undefined) made.push(make("s", {}, ...spans(struck)));
    else if (bare) made.push(link(bare, bare));
    else if (!image && isWeb(address)) made.push(link(label || address, address));
    else made.push([label, address && `(${address})`].filter(Boolean).join(" "));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) made.push(rest);
  return made;
}

const isWeb = (address) => /^https?:\/\/[^/]/i.test(address);

/** Return a link that opens elsewhere and does not send this page's address; its address is shown on hover. */
function link(label, address) {
  return make("a", { href: address, title: address, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}
