// A small chart of the last figures.

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 30;

/** Draws figures from 0 to a maximum, the newest at the right, with gaps for missing figures. */
export class Sparkline {
  node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "sparkline", "aria-hidden": "true" });
  #area = svg("path", { class: "area" });
  #line = svg("path", { class: "line" });
  #places;

  /** @param {number} places the number of figures that fit. */
  constructor(places) {
    this.#places = places;
    this.node.append(this.#area, this.#line);
  }

  /**
   * @param {(number | null)[]} figures oldest first.
   * @param {number} most what the top stands for; figures above raise it.
   */
  draw(figures, most) {
    const shown = figures.slice(-this.#places);
    const top = Math.max(most, ...shown.filter((figure) => figure !== null), Number.MIN_VALUE);
    const x = (at) => round(WIDTH - ((shown.length - 1 - at) * WIDTH) / (this.#places - 1));
    const y = (figure) => round(HEIGHT - 1 - (Math.max(figure, 0) / top) * (HEIGHT - 2));
    const lines = [];
    const areas = [];
    for (const [from, to] of runs(shown)) {
      const points = shown.slice(from, to).map((figure, at) => `${x(from + at)} ${y(figure)}`);
      if (points.length === 1) points.push(points[0]);
      lines.push(`M${points.join("L")}`);
      areas.push(`M${x(from)} ${HEIGHT}L${points.join("L")}L${x(to - 1)} ${HEIGHT}Z`);
    }
    this.#line.setAttribute("d", lines.join(""));
    this.#area.setAttribute("d", areas.join(""));
  }
}

/** Where figures follow each other without a gap, as [from, to) pairs. */
function runs(figures) {
  const found = [];
  let from = -1;
  for (const [at, figure] of [...figures, null].entries()) {
    if (figure === null && from >= 0) found.push([from, at]);
    from = figure === null ? -1 : from < 0 ? at : from;
  }
  return found;
}

const round = (value) => Math.round(value * 10) / 10;

function svg(tag, attributes) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
