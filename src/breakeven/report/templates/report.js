"use strict";
const drawings = JSON.parse(document.getElementById("drawings").textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A chart takes the colours of the page's theme, and leaves room for itself beside long names.
function config(width) {
  const axis = { labelColor: colour("--ink"), titleColor: colour("--quiet"), gridColor: colour("--line"),
    domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return { background: "transparent", font: "system-ui, sans-serif", view: { stroke: null }, axis,
    axisY: { labelLimit: Math.max(110, Math.min(280, width * 0.45)) },
    legend: { labelColor: colour("--ink"), titleColor: colour("--quiet") } };
}

const drawn = new Set();
function draw(place) {
  drawn.add(place);
  const options = { actions: false, renderer: "svg", config: config(place.clientWidth) };
  const drawing = { ...drawings[place.id], params: [{ name: "across", value: place.clientWidth }] };
  return vegaEmbed(place, drawing, options).catch((error) => { place.textContent = error; console.error(error); });
}

// What is not seen yet is not drawn yet: a page of many charts opens at once.
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) { seen.unobserve(target); draw(target); }
}, { rootMargin: "400px" });
const places = document.querySelectorAll(".chart");
places.forEach((place) => seen.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
addEventListener("beforeprint", () => places.forEach((place) => drawn.has(place) || draw(place)));

const cell = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
for (const button of document.querySelectorAll("button.data")) {
  button.addEventListener("click", () => {
    const rows = drawings[button.dataset.chart].datasets.table, names = Object.keys(rows[0]);
    const text = [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(",")).join("\n") + "\n";
    const link = Object.assign(document.createElement("a"), { download: `${button.dataset.chart}.csv`, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

const body = document.querySelector("#rows tbody"), rows = [...body.rows];
const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const search = document.getElementById("search"), choices = [...document.querySelectorAll("select[data-column]")];
function filter() {
  const asked = search.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const row of rows) {
    row.hidden = !(asked.every((word) => words.get(row).includes(word)) && choices.every((choice) => !choice.value || row.dataset[choice.dataset.column] === choice.value));
    count += !row.hidden;
  }
  document.getElementById("count").textContent = `${count} of ${rows.length} rows`;
}
search.addEventListener("input", filter);
choices.forEach((choice) => choice.addEventListener("change", filter));
filter();

// Any two variants of the same rounds can be compared: another base changes three columns of the table.
const against = document.getElementById("against"), titles = [...document.querySelectorAll("#rows th")].map((head) => head.textContent);
const [verdicts, speedups, intervals] = ["verdict", "speedup", "interval"].map((title) => titles.indexOf(title));
const pairs = JSON.parse(document.getElementById("pairs").textContent);
const firsts = new Map(rows.map((row) => [row, [verdicts, speedups, intervals].map((place) => row.cells[place].cloneNode(true))]));
function compare() {
  for (const row of rows) {
    const [verdict, speedup, interval] = firsts.get(row).map((first) => first.cloneNode(true));
    if (against.value && row.dataset.variant) {
      const [value, low, high, word] = pairs[row.dataset.cell]?.[against.value]?.[row.dataset.variant] ?? [null, null, null, ""];
      verdict.textContent = word;
      verdict.className = `verdict ${word}`;
      speedup.textContent = value === null ? "" : `${value.toFixed(2)}x`;
      speedup.dataset.value = value ?? "";
      interval.textContent = low === null ? "" : `${low.toFixed(2)} to ${high.toFixed(2)}`;
      interval.dataset.value = low ?? "";
    }
    [verdict, speedup, interval].forEach((fresh, number) => row.cells[[verdicts, speedups, intervals][number]].replaceWith(fresh));
  }
}
against?.addEventListener("change", compare);

// Figures sort as figures, and what has none comes last in either order.
const heads = [...document.querySelectorAll("#rows th")];
heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
  const number = head.classList.contains("number");
  const down = head.getAttribute("aria-sort") === (number ? "descending" : "ascending") ? !number : number;
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => {
    const place = row.cells[column];
    if (!number) return place.textContent;
    const value = parseFloat(place.dataset.value ?? place.textContent);
    return Number.isNaN(value) ? null : value;
  };
  const order = (a, b) => (a === null) - (b === null) || (down ? -1 : 1) * (number ? a - b : a.localeCompare(b));
  body.append(...rows.sort((a, b) => order(key(a), key(b))));
}));
