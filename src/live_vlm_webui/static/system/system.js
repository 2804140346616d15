// The machine: its description, current figures, and those of the last minutes.

import { ask } from "../common/api.js";
import { attempt } from "../common/notices.js";
import { element, make, setText } from "../common/dom.js";
import { celsius, gigabytes, percent, watts } from "../common/format.js";
import { say, translated } from "../common/words.js";
import { Sparkline } from "./sparkline.js";

const PLACES = 120;
const QUIET_STATES = new Set(["ok", "absent", "starting"]);

/** Shows the server's machine. */
export class SystemCard {
  #gauges = new Map();
  #machine = null;
  #sample = null;
  #interval = 0; // seconds, as the server has it

  constructor() {
    element("interval").addEventListener("change", async ({ target }) => {
      const work = async () => this.#setInterval((await ask("PATCH", "/api/system", { interval: Number(target.value) })).interval);
      if (!(await attempt("interval", work)) && this.#interval) showInterval(this.#interval);
    });
  }

  /** Apply the whole state. */
  reset({ machine, interval, sample, history }) {
    this.#machine = machine;
    this.redraw();
    this.#setInterval(interval);
    for (const { node } of this.#gauges.values()) node.remove();
    this.#gauges.clear();
    if (sample) this.#show(sample, (gauge, key) => gauge.fill(column(history, key), gauge.last));
  }

  #setInterval(interval) {
    this.#interval = interval;
    showInterval(interval);
  }

  #describe(machine) {
    const size = machine.memory_bytes ? gigabytes(machine.memory_bytes) : "";
    const cores = machine.cores ? say("machine.cores", { count: machine.cores }) : "";
    const [name, ...words] = [machine.product, machine.name, machine.cpu, cores, size, machine.os].filter(Boolean);
    element("machine").replaceChildren(make("strong", {}, name ?? ""), words.map((word) => ` · ${word}`).join(""));
  }

  /** Show all in the language of the page. */
  redraw() {
    if (this.#machine) this.#describe(this.#machine);
    if (this.#sample) this.#show(this.#sample, () => {});
  }

  /** Add a sample. */
  apply({ interval, sample }) {
    this.#setInterval(interval);
    this.#show(sample, (gauge) => gauge.push(gauge.last));
  }

  #show(sample, advance) {
    this.#sample = sample;
    const shown = new Set();
    for (const { key, ...figures } of gaugesOf(sample)) {
      if (!this.#gauges.has(key)) this.#gauges.set(key, new Gauge(element("gauges")));
      const gauge = this.#gauges.get(key);
      gauge.show(figures);
      advance(gauge, key);
      shown.add(key);
    }
    for (const [key, gauge] of this.#gauges) {
      if (shown.has(key)) continue;
      gauge.node.remove();
      this.#gauges.delete(key);
    }
    showSources(sample);
  }
}

/** Show which sensors fail and, without a GPU, why. */
function showSources({ gpus, sources }) {
  const told = sources.filter(({ state }) => !QUIET_STATES.has(state) || (state === "absent" && gpus.length === 0));
  const list = element("sources");
  const words = told.map(({ name, state, reason }) => (state === "absent" ? say("machine.no-gpu", { reason: translated(reason) }) : `${name}: ${translated(reason)}`));
  list.hidden = words.length === 0;
  if (list.dataset.words === words.join("\n")) return;
  list.dataset.words = words.join("\n");
  list.replaceChildren(...words.map((text, at) => make("li", { class: told[at].state }, text)));
}

/** Return the gauges of a sample, in order: key, label, formatted value, figure, maximum, and details. */
function gaugesOf({ gpus, cpu, memory, board }) {
  const made = [];
  for (const [place, gpu] of gpus.entries()) {
    const number = gpus.length > 1 ? ` ${place}` : "";
    made.push({
      key: `gpu ${place} use`, label: say("machine.gpu", { number }), value: percent(gpu.use_percent), figure: gpu.use_percent, most: 100,
      more: gpu.name, why: gpu.missing.use_percent,
    });
    if (gpu.memory_used_bytes !== null || !gpu.integrated) {
      made.push({
        key: `gpu ${place} memory`, label: say(gpu.integrated ? "machine.gpu.shared" : "machine.gpu.memory", { number }),
        value: gigabytes(gpu.memory_used_bytes, gpu.memory_total_bytes), figure: gpu.memory_used_bytes,
        most: gpu.memory_total_bytes ?? 0, why: gpu.missing.memory_used_bytes,
      });
    }
    if (gpu.temperature_celsius !== null || !gpu.integrated) {
      made.push({
        key: `gpu ${place} temperature`, label: say("machine.gpu.temperature", { number }), value: celsius(gpu.temperature_celsius),
        figure: gpu.temperature_celsius, most: gpu.temperature_limit_celsius ?? 100, why: gpu.missing.temperature_celsius,
        more: gpu.temperature_limit_celsius ? say("machine.limit", { limit: celsius(gpu.temperature_limit_celsius) }) : "",
      });
    }
    if (gpu.power_watts !== null || !gpu.integrated) {
      made.push({
        key: `gpu ${place} power`, label: say("machine.gpu.power", { number }), value: watts(gpu.power_watts), figure: gpu.power_watts,
        most: gpu.power_limit_watts ?? 10, why: gpu.missing.power_watts,
        more: gpu.power_limit_watts ? say("machine.of", { most: watts(gpu.power_limit_watts) }) : "",
      });
    }
  }
  const heat = cpu.temperature_celsius === null ? "" : celsius(cpu.temperature_celsius);
  made.push({ key: "cpu", label: say("machine.cpu"), value: percent(cpu.use_percent), figure: cpu.use_percent, most: 100, more: heat });
  made.push({
    key: "memory", label: say("machine.memory"), value: gigabytes(memory.used_bytes, memory.total_bytes), figure: memory.used_bytes,
    most: memory.total_bytes ?? 0,
  });
  if (board) {
    made.push({
      key: "board", label: say("machine.board"), value: watts(board.power_watts), figure: board.power_watts, most: 10,
      more: board.power_mode,
    });
  }
  return made;
}

/** Return the history column of a gauge. */
function column(history, key) {
  if (key === "cpu") return history.cpu_percent;
  if (key === "memory") return history.memory_used_bytes;
  if (key === "board") return history.board_watts;
  const [, place, figure] = key.split(" ");
  const names = { use: "use_percent", memory: "memory_used_bytes", temperature: "temperature_celsius", power: "power_watts" };
  return history.gpus[place]?.[names[figure]] ?? [];
}

/** A figure with its chart. */
class Gauge {
  #label = make("span", { class: "gauge-label" });
  #value = make("strong");
  #more = make("span", { class: "quiet" });
  #line = new Sparkline(PLACES);
  #figures = [];
  #most = 0;
  last = null;
  node = make("div", { class: "gauge" }, make("p", {}, this.#label, this.#more), this.#value, this.#line.node);

  constructor(parent) {
    parent.append(this.node);
  }

  show({ label, value, figure, most, more = "", why = "" }) {
    setText(this.#label, label);
    setText(this.#value, value);
    setText(this.#more, figure === null && why ? translated(why) : more);
    this.node.title = figure === null ? translated(why) : "";
    this.node.classList.toggle("missing", figure === null);
    this.last = figure;
    this.#most = most;
  }

  push(figure) {
    this.#figures = [...this.#figures, figure].slice(-PLACES);
    this.#line.draw(this.#figures, this.#most);
  }

  fill(figures) {
    this.#figures = figures.slice(-PLACES);
    this.#line.draw(this.#figures, this.#most);
  }
}

function showInterval(seconds) {
  const select = element("interval");
  const known = [...select.options].find(({ value }) => Number(value) === seconds);
  const chosen = known ?? new Option(say("machine.interval.other", { count: seconds }), String(seconds));
  if (!known) select.append(chosen);
  chosen.selected = true;
}
