#include "exporters/page.h"

namespace driftd::exporters {
namespace {

// In two literals: the style and frame, and the script.
constexpr const char* kFrame = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>driftd</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #888; --ok: #2a8a3e; --warn: #b77400;
        --fail: #c62828; --none: #777; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem 1.5rem;
       max-width: 76rem; }
header { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: baseline; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
nav { margin-left: auto; }
nav a { margin-left: .8rem; }
a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .28rem .8rem .28rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; }
th { font-weight: 600; color: var(--dim); font-size: .85rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.empty, .dim { color: var(--dim); }
.mark { font-weight: 600; white-space: nowrap; }
.mark::before { content: "\25cf\a0"; }
.ok { color: var(--ok); } .warn { color: var(--warn); }
.fail { color: var(--fail); } .none { color: var(--none); }
.wide { overflow-x: auto; }
</style>
</head>
<body>
<header>
  <h1>driftd</h1>
  <span id="ready" class="mark none">connecting</span>
  <span id="updated" class="dim"></span>
  <nav>
    <a href="/metrics">metrics</a><a href="/api/v1/findings">findings</a>
    <a href="/api/v1/references">references</a><a href="/api/v1/units">units</a>
  </nav>
</header>
<main>
<h2>Streams</h2><div class="wide" id="streams"></div>
<h2>Alerts</h2><div class="wide" id="alerts"></div>
<h2>Newest findings</h2><div class="wide" id="findings"></div>
</main>
)html";

constexpr const char* kScript = R"html(<script>
"use strict";
const el = id => document.getElementById(id);
const grouped = n => n === undefined ? "" : Number(n).toLocaleString("en");
const short = n => n === undefined ? "" : String(Number(Number(n).toPrecision(5)));
const when = t => t === undefined ? "" : t.replace("T", " ").replace(/(\.\d+)?Z$/, "");
const segment = s => s === undefined || s.value === undefined ? "" : s.by + " " + s.value;
const marks = { ok: "ok", warn: "warn", fail: "fail", no_verdict: "none",
                pending: "warn", firing: "fail", resolved: "ok", true: "ok", false: "fail" };

// columns: [title, class of the cell, row => text, row => word for the mark or undefined]
function show(id, columns, rows, nothing) {
  const box = el(id);
  if (rows.length === 0) {
    const p = document.createElement("p");
    p.className = "empty";
    p.textContent = nothing;
    box.replaceChildren(p);
    return;
  }
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const [title, style] of columns) {
    const th = document.createElement("th");
    th.scope = "col";
    th.className = style;
    th.textContent = title;
    head.append(th);
  }
  const body = table.createTBody();
  for (const row of rows) {
    const tr = body.insertRow();
    for (const [, style, text, mark] of columns) {
      const td = tr.insertCell();
      td.className = style;
      const word = mark && mark(row);
      const target = word === undefined ? td : td.appendChild(document.createElement("span"));
      if (word !== undefined) target.className = "mark " + (marks[word] || "none");
      target.textContent = text(row);
    }
  }
  box.replaceChildren(table);
}

const streamColumns = [
  ["stream", "", s => s.name],
  ["source", "", s => s.source.type + (s.source.up ? "" : " " + (s.source.detail || "down")),
   s => s.source.up],
  ["accepted", "number", s => grouped(s.records.accepted)],
  ["rejected", "number", s => grouped(s.records.rejected)],
  ["late", "number", s => grouped(s.records.late)],
  ["lag", "number", s => grouped(s.source.lag)],
  ["sensors", "number", s => grouped(s.sensors)],
  ["complete up to (UTC)", "time", s => when(s.watermark)],
  ["reference", "", s => s.reference || ""],
];
const alertColumns = [
  ["state", "", a => a.state, a => a.state],
  ["severity", "", a => a.severity],
  ["stream", "", a => a.stream],
  ["segment", "", a => segment(a.segment)],
  ["kind", "", a => a.kind],
  ["since (UTC)", "time", a => when(a.starts_at)],
  ["summary", "", a => a.summary],
];
const findingColumns = [
  ["verdict", "", f => f.verdict, f => f.verdict],
  ["window end (UTC)", "time", f => when(f.window ? f.window.end : f.record.time)],
  ["stream", "", f => f.stream],
  ["segment", "", f => segment(f.segment)],
  ["field", "", f => f.field || ""],
  ["check", "", f => f.check],
  ["reason", "", f => f.reason || ""],
  ["value", "number", f => short(f.value)],
  ["threshold", "number", f => short(f.threshold)],
  ["n", "number", f => grouped(f.n)],
];

async function read(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
}

async function refresh() {
  const state = el("ready");
  try {
    const ready = await fetch("/-/ready", { cache: "no-store" });
    const why = ready.ok ? "ready" : (await ready.json()).detail;
    const [streams, alerts, findings] = await Promise.all(
        [read("/api/v1/streams"), read("/api/v1/alerts"), read("/api/v1/findings?limit=50")]);
    show("streams", streamColumns, streams.streams, "No streams are configured.");
    show("alerts", alertColumns, alerts.alerts, "No alerts.");
    show("findings", findingColumns, findings.findings, "No findings yet.");
    state.textContent = why;
    state.className = "mark " + (ready.ok ? "ok" : "warn");
    el("updated").textContent = "updated " + new Date().toISOString().slice(11, 19) + " UTC";
  } catch (error) {
    state.textContent = "no answer from driftd (" + error.message + ")";
    state.className = "mark fail";
  }
  setTimeout(refresh, document.hidden ? 30000 : 5000);
}
refresh();
</script>
</body>
</html>
)html";

constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src "
    "'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

Response page() {
  return {200,
          "text/html; charset=utf-8",
          std::string(kFrame) + kScript,
          {{"Content-Security-Policy", kPolicy}, {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace driftd::exporters
