/* The pictures of a page of headway that can be read off, and the table of requests. */
(function () {
"use strict";
const root = document.documentElement;
const plots = JSON.parse(document.getElementById("data").textContent).plots;
const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2], [9, 3, 2, 3, 2, 3], [14, 3, 4, 3], [2, 5], [4, 2, 4, 2, 2, 2],
  [7, 7], [14, 3, 2, 3, 2, 3, 2, 3]];
const color = name => getComputedStyle(root).getPropertyValue("--" + name).trim();
const node = (tag, attributes, ...children) => {
  const e = document.createElement(tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  e.append(...children);
  return e;
};
const figure = v => {
  if (v == null || !isFinite(v)) return "–";
  const a = Math.abs(v);
  if (a >= 100) return Math.round(v).toLocaleString("en-US");
  return String(+v.toPrecision(3));
};

/* Points of a curve at one x would be one point: they are set apart by less than can be seen. */
function apart(s) {
  if (!s.smooth) return;
  for (let i = 1; i < s.x.length; i++) if (s.x[i] <= s.x[i - 1]) s.x[i] = s.x[i - 1] + Math.abs(s.x[i - 1]) * 1e-9 + 1e-12;
}

/* One x for all series: those of the points, sorted, each once; a series without a point there has null. */
function aligned(plot) {
  const xs = new Set();
  plot.series.forEach(s => s.x.forEach(x => x != null && xs.add(x)));
  const x = Float64Array.from(xs).sort();
  const at = new Map(Array.from(x, (v, i) => [v, i]));
  const column = (s, values) => {
    const out = new Array(x.length).fill(null);
    values.forEach((v, i) => { if (v != null) out[at.get(s.x[i])] = v; });
    return out;
  };
  return {
    data: [x, ...plot.series.map(s => column(s, s.y))],
    low: plot.series.map(s => s.low && column(s, s.low)),
    high: plot.series.map(s => s.high && column(s, s.high)),
    labels: plot.series.map(s => { const out = []; (s.labels || []).forEach((l, i) => { out[at.get(s.x[i])] = l; }); return out; }),
  };
}

/* A series goes on in the order of its points, which need not be that of x, and stops at a point without a value. */
const ownPath = s => s.x.some((x, i) => i && x < s.x[i - 1]) || s.y.some(y => y == null);

/* How many steps a whisker stands beside its place: none, unless it would hide another. */
function beside(of, shown, i, k) {
  const here = of.low.map((low, j) => j).filter(j => shown[j] && of.low[j] && of.low[j][k] != null && of.data[j + 1][k] != null);
  const meet = here.some(a => here.some(b => a < b && of.low[a][k] <= of.high[b][k] && of.low[b][k] <= of.high[a][k]));
  return meet ? here.indexOf(i) - (here.length - 1) / 2 : 0;
}

/* What uPlot has no part for: lines that turn back or stop, whiskers, lines of reference, labels. */
function paint(u, plot, of, colors) {
  const c = u.ctx, r = devicePixelRatio, box = u.bbox;
  const X = v => u.valToPos(v, "x", true), Y = v => u.valToPos(v, "y", true);
  c.save();
  c.beginPath();
  c.rect(box.left, box.top, box.width, box.height);
  c.clip();
  const shown = plot.series.map((s, i) => u.series[i + 1].show);
  plot.series.forEach((s, i) => {
    if (!shown[i]) return;
    c.strokeStyle = colors[i];
    c.lineWidth = 1.5 * r;
    if (ownPath(s)) {
      c.setLineDash(dashes[i].map(d => d * r));
      c.beginPath();
      let pen = false;
      s.x.forEach((x, k) => {
        if (s.y[k] == null || x == null) { pen = false; return; }
        if (pen) c.lineTo(X(x), Y(s.y[k])); else c.moveTo(X(x), Y(s.y[k]));
        pen = true;
      });
      c.stroke();
      c.setLineDash([]);
    }
    if (!s.low) return;
    c.beginPath();
    of.data[0].forEach((x, k) => {
      if (of.low[i][k] == null || of.data[i + 1][k] == null) return;
      const a = X(x) + beside(of, shown, i, k) * 6 * r, floor = u.scales.y.distr === 3 && of.low[i][k] <= 0 ? box.top + box.height : Y(of.low[i][k]);
      const top = Y(of.high[i][k]);
      c.moveTo(a, floor); c.lineTo(a, top);
      c.moveTo(a - 4 * r, floor); c.lineTo(a + 4 * r, floor);
      c.moveTo(a - 4 * r, top); c.lineTo(a + 4 * r, top);
    });
    c.stroke();
  });
  c.restore();
  c.save();
  c.font = 11 * r + "px system-ui, sans-serif";
  c.fillStyle = c.strokeStyle = color("muted");
  c.textBaseline = "bottom";
  const taken = [];
  (plot.lines || []).forEach(l => taken.push(reference(c, box, l, X, Y, r)));
  label(c, box, plot, of, shown, X, Y, r, taken);
  c.restore();
}

/* A line of reference and its label, of which the place is returned. One that is beyond the axis is named at its edge. */
function reference(c, box, l, X, Y, r) {
  const right = box.left + box.width, foot = box.top + box.height, at = l.vertical ? X(l.value) : Y(l.value);
  const before = l.vertical ? at < box.left - r : at > foot + r, after = l.vertical ? at > right + r : at < box.top - r;
  if (!before && !after) {
    c.setLineDash([4 * r, 4 * r]);
    c.beginPath();
    if (l.vertical) { c.moveTo(at, box.top); c.lineTo(at, foot); } else { c.moveTo(box.left, at); c.lineTo(right, at); }
    c.stroke();
    c.setLineDash([]);
  }
  if (!l.label) return [0, 0, 0, 0];
  const arrow = l.vertical ? ["← ", " →"] : ["↓ ", " ↑"];
  const text = before ? arrow[0] + l.label : after ? l.label + arrow[1] : l.label, wide = c.measureText(text).width;
  let x = box.left + 6 * r, y = Math.min(foot, Math.max(box.top + 14 * r, at - 3 * r));
  if (l.vertical) { x = at + 4 * r + wide > right ? at - wide - 4 * r : at + 4 * r; y = box.top + 14 * r; }
  x = Math.max(box.left + 2 * r, Math.min(x, right - wide - 2 * r));
  c.textAlign = "left";
  c.fillText(text, x, y);
  return [x, y - 13 * r, x + wide, y];
}

/* Labels of points stand where they cover neither another nor a mark; one without such a place is read off only, as are those of curves without marks. */
function label(c, box, plot, of, shown, X, Y, r, taken) {
  const marks = [], texts = [];
  plot.series.forEach((s, i) => shown[i] && of.data[0].forEach((v, k) => {
    const y = of.data[i + 1][k], x = X(v);
    if (s.smooth || y == null || x < box.left - r || x > box.left + box.width + r) return;
    marks.push([x - 4 * r, Y(y) - 4 * r, x + 4 * r, Y(y) + 4 * r]);
    if (of.labels[i][k]) texts.push([of.labels[i][k], x, Y(y)]);
  }));
  const hits = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  texts.forEach(([text, x, y]) => {
    const wide = c.measureText(text).width;
    for (const [left, foot] of [[x + 6 * r, y - 4 * r], [x - 6 * r - wide, y - 4 * r], [x + 6 * r, y + 17 * r], [x - 6 * r - wide, y + 17 * r]]) {
      const place = [left, foot - 13 * r, left + wide, foot];
      if (left < box.left || place[2] > box.left + box.width || place[1] < box.top || foot > box.top + box.height) continue;
      if (taken.some(t => hits(t, place)) || marks.some(m => hits(m, place))) continue;
      c.textAlign = "left";
      c.fillText(text, left, foot);
      taken.push(place);
      return;
    }
  });
}

/* The nearest point of a series, since not every series has one at every x. */
function nearest(u, series, at, x) {
  const xs = u.data[0], ys = u.data[series];
  if (series === 0 || ys[at] != null) return at;
  let a = at, b = at;
  while (a >= 0 && ys[a] == null) a--;
  while (b < ys.length && ys[b] == null) b++;
  if (a < 0 || b >= ys.length) return null; /* outside of what the series has */
  return x - xs[a] <= xs[b] - x ? a : b;
}

function swatch(i, s) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg"), l = document.createElementNS(ns, "line");
  svg.setAttribute("width", "26"); svg.setAttribute("height", "10"); svg.setAttribute("aria-hidden", "true");
  for (const [k, v] of [["x1", 0], ["x2", 26], ["y1", 5], ["y2", 5], ["stroke", "var(--s" + i + ")"], ["stroke-width", 2.5],
    ["stroke-dasharray", dashes[i].join(" ")]]) l.setAttribute(k, v);
  if (s.faint) l.setAttribute("opacity", ".5");
  svg.append(l);
  return svg;
}

function draw(plot) {
  const live = document.querySelector("#" + plot.id + " .live");
  const of = aligned(plot), colors = plot.series.map((s, i) => color("s" + i));
  const values = [], hold = node("div", { class: "chart", tabindex: "0", role: "img", "aria-label": plot.title +
    ". Arrow keys read values off, plus and minus zoom, 0 shows all." });
  const readout = node("p", { class: "readout", "aria-live": "polite" });
  const list = node("ul", { class: "legend" });
  live.replaceChildren(hold, readout, list);
  /* A text that is longer than its axis stands above the picture. */
  const named = a => a.label + (a.log ? " (log scale)" : "");
  const fits = named(plot.y).length * 6.6 < 246;
  if (!fits) live.prepend(node("p", { class: "axis" }, "↑ " + named(plot.y)));
  const axis = (a, side) => ({
    label: side && !fits ? "" : named(a), stroke: color("muted"), labelSize: side && !fits ? 0 : 22, labelFont: "12px system-ui, sans-serif",
    font: "11px system-ui, sans-serif", grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("rule"), width: 1, size: 5 },
    size: side ? (u, v) => 16 + 7 * Math.max(3, ...(v || []).map(t => (t || "").length)) : 34,
    values: (u, v) => v.map(t => t == null ? "" : figure(t)),
    splits: a.values ? () => a.values : a.log ? (u, i, low, high) => logTicks(low, high) : undefined,
    filter: a.log ? (u, v) => v : undefined,
  });
  /* Whiskers widen the range as far as values stay to be told apart. */
  const ends = (list, pick) => list.flatMap((l, i) => l && u.series[i + 1].show ? l.filter(v => v != null) : []).reduce(pick, NaN);
  const widest = (low, high) => {
    const least = ends(of.low, (a, b) => b > a ? a : b), most = ends(of.high, (a, b) => b < a ? a : b);
    return [least < low ? Math.max(least, plot.y.log ? low / 4 : low - 2 * Math.abs(low)) : low, most > high ? Math.min(most, 2 * high) : high];
  };
  /* All of the picture has its lines of reference in it, unless the data would be squeezed to nothing. */
  const withLines = (vertical, log, low, high) => {
    const room = high - low || Math.abs(high);
    (plot.lines || []).filter(l => !!l.vertical === vertical).forEach(({ value: v }) => {
      if (log ? v >= low / 4 && v <= high * 4 : v >= low - room && v <= high + room) { low = Math.min(low, v); high = Math.max(high, v); }
    });
    return [low, high];
  };
  const range = a => (v, low, high) => {
    if (low == null) return a.log ? [1, 10] : [0, 1];
    const all = a === plot.x && low <= of.data[0][0] && high >= of.data[0][of.data[0].length - 1];
    if (all && a.max) return [a.min || 0, a.max];
    if (a === plot.y || all) [low, high] = withLines(a === plot.x, a.log, low, high);
    if (a === plot.y && u) [low, high] = widest(low, high);
    if (a.log) return [low / 1.15, high * 1.15];
    if (a === plot.y) return [Math.min(0, low), plot.y.max || (high > 0 ? high * (of.labels.some(l => l.length) ? 1.12 : 1.06) : 1)];
    const pad = (high - low || Math.abs(high) || 1) * 0.02;
    return [low - (low > 0 ? pad : 0), high + pad];
  };
  let full = null, u = null;
  u = new uPlot({
    width: hold.clientWidth || 500, height: 300, legend: { show: false }, ms: 1,
    cursor: { dataIdx: nearest, drag: { x: true, y: false }, points: { size: 8 } },
    scales: {
      x: { time: false, distr: plot.x.log ? 3 : 1, range: range(plot.x) },
      y: { distr: plot.y.log ? 3 : 1, range: range(plot.y) },
    },
    axes: [axis(plot.x, false), axis(plot.y, true)],
    series: [{}].concat(plot.series.map((s, i) => ({
      label: s.name, stroke: colors[i], width: s.faint ? 1 : 1.8, dash: dashes[i], spanGaps: true, alpha: s.faint ? .6 : 1,
      paths: ownPath(s) ? () => null : undefined,
      points: { show: !s.smooth, size: 7, fill: i % 2 ? color("paper") : colors[i] },
    }))),
    hooks: {
      draw: [u => paint(u, plot, of, colors)],
      setCursor: [u => {
        const at = u.cursor.idx;
        readout.textContent = at == null ? "" : plot.x.label + ": " + figure(u.data[0][at]);
        plot.series.forEach((s, i) => {
          const k = at == null ? null : u.cursor.idxs[i + 1], low = of.low[i];
          values[i].textContent = k == null || of.data[i + 1][k] == null ? "" : figure(of.data[i + 1][k]) +
            (low && low[k] != null ? " (" + figure(low[k]) + "–" + figure(of.high[i][k]) + ")" : "") +
            (of.labels[i][k] ? " · " + of.labels[i][k] : "");
        });
      }],
    },
  }, of.data, hold);
  u.redraw(false, true);
  u.setData(of.data);
  full = [u.scales.x.min, u.scales.x.max];
  plot.series.forEach((s, i) => {
    values[i] = node("b", {});
    const b = node("button", { type: "button", "aria-pressed": "true" }, swatch(i, s), node("span", {}, s.name || plot.y.label), values[i]);
    b.addEventListener("click", () => {
      const on = b.getAttribute("aria-pressed") !== "true";
      b.setAttribute("aria-pressed", on);
      u.setSeries(i + 1, { show: on });
    });
    list.append(node("li", {}, b));
  });
  const to = i => { const x = u.data[0][i]; if (x != null) u.setCursor({ left: u.valToPos(x, "x"), top: u.bbox.height / devicePixelRatio / 2 }); };
  const zoom = by => {
    const log = plot.x.log, f = log ? Math.log : v => v, g = log ? Math.exp : v => v;
    const low = f(u.scales.x.min), high = f(u.scales.x.max), at = u.cursor.idx == null ? (low + high) / 2 : f(u.data[0][u.cursor.idx]);
    u.setScale("x", { min: Math.max(full[0], g(at - (at - low) * by)), max: Math.min(full[1], g(at + (high - at) * by)) });
  };
  hold.addEventListener("keydown", e => {
    const at = u.cursor.idx, last = u.data[0].length - 1;
    const step = Math.max(1, Math.round(last / 120));
    switch (e.key) {
    case "ArrowRight": to(at == null ? 0 : Math.min(last, at + step)); break;
    case "ArrowLeft": to(at == null ? last : Math.max(0, at - step)); break;
    case "+": case "=": zoom(.6); break;
    case "-": zoom(1 / .6); break;
    case "0": case "Escape": u.setScale("x", { min: full[0], max: full[1] }); break;
    default: return;
    }
    e.preventDefault();
  });
  return { u, hold };
}

/* Ticks of a log axis: 1, 2 and 5 times powers of ten, those alone where they are many; even steps where it is short. */
function logTicks(low, high) {
  const at = digits => {
    const out = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++)
      for (const m of digits) if (m * 10 ** k >= low && m * 10 ** k <= high) out.push(+(m * 10 ** k).toPrecision(12));
    return out;
  };
  const all = at([1, 2, 5]);
  if (all.length > 12) return at([1]);
  if (all.length > 2) return all;
  const raw = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(raw)), step = unit * [1, 2, 5, 10].find(m => m * unit >= raw);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(+v.toPrecision(12));
  return out;
}

let drawn = [];
function drawAll() {
  drawn.forEach(d => d.u.destroy());
  drawn = plots.flatMap(p => {
    const figure = document.getElementById(p.id);
    try {
      const d = draw(p);
      figure.classList.add("drawn");
      return [d];
    } catch (e) { /* the picture stays as it is without scripts */
      figure.querySelector(".live").replaceChildren();
      figure.classList.remove("drawn");
      console.error(p.title, e);
      return [];
    }
  });
}

function requests(flow) {
  const table = flow.querySelector("table"), body = table.tBodies[0], rows = Array.from(body.rows);
  const length = +table.dataset.length, longest = +table.dataset.longest;
  const press = (b, on) => b.setAttribute("aria-pressed", on);
  const took = r => +r.cells[2].textContent.replace(/,/g, "") || 0;
  flow.querySelectorAll("button[data-show]").forEach((b, _, all) => b.addEventListener("click", () => {
    all.forEach(o => press(o, o === b));
    rows.forEach(r => { r.hidden = b.dataset.show !== "all" && !r.classList.contains(b.dataset.show); });
  }));
  const align = flow.querySelector("button[data-align]"), sort = flow.querySelector("button[data-sort]");
  align.addEventListener("click", () => {
    const on = align.getAttribute("aria-pressed") !== "true";
    press(align, on);
    rows.forEach(r => r.querySelector("svg").setAttribute("viewBox", on ? (+r.dataset.from || 0) + " 0 " + longest + " 10" : "0 0 " + length + " 10"));
  });
  sort.addEventListener("click", () => {
    const on = sort.getAttribute("aria-pressed") !== "true";
    press(sort, on);
    body.append(...(on ? rows.slice().sort((a, b) => took(b) - took(a)) : rows));
  });
}

plots.forEach(p => p.series.forEach(apart));
root.classList.add("scripted");
drawAll();
document.querySelectorAll(".flow").forEach(requests);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new ResizeObserver(() => drawn.forEach(d => {
  const w = d.hold.clientWidth;
  if (w && w !== d.u.width) d.u.setSize({ width: w, height: 300 });
})).observe(document.body);
})();
