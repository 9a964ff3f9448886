// Rows made by hand, and a reference built from them in two passes; windows are counted row by row
// through panes, as the engine does.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "stats/reference_builder.h"

namespace driftd::stats::reference_test {

struct Row {
  Time time = 0;
  std::variant<double, Cell> temperature = Cell::kMissing;
  std::variant<std::string, Cell> status = Cell::kMissing;
  std::string site = "north";
};

inline const Schema& schema() {
  static const Schema made = [] {
    Schema s;
    s.fields = {{.name = "temperature", .kind = FieldKind::kNumber},
                {.name = "status", .kind = FieldKind::kCategory},
                {.name = "site", .kind = FieldKind::kCategory, .role = FieldRole::kSegment},
                {.name = "note", .kind = FieldKind::kText}};
    return s;
  }();
  return made;
}

inline Batch batch_of(const std::vector<Row>& rows, Dictionaries& dictionaries) {
  Batch batch;
  batch.reset(schema(), 0);
  BatchBuilder builder(batch, schema(), dictionaries);
  for (const Row& row : rows) {
    builder.begin_row();
    if (const auto* v = std::get_if<double>(&row.temperature)) builder.set_number(0, *v);
    if (const auto* c = std::get_if<Cell>(&row.temperature)) builder.set_cell(0, *c);
    if (const auto* v = std::get_if<std::string>(&row.status)) builder.set_text(1, *v);
    if (const auto* c = std::get_if<Cell>(&row.status)) builder.set_cell(1, *c);
    builder.set_text(2, row.site);
    builder.set_text(3, "free");
    builder.commit_row(dictionaries.sensors.intern("s"), row.time, kNoTime, batch.rows());
  }
  return batch;
}

// Counts of every numeric and category field, with sums.
inline PaneLayout layout_of(const Reference& frozen) {
  PaneLayout layout;
  for (const FieldProfile& f : frozen.segments[0].fields) {
    PaneLayout::FieldPlan plan{.kind = f.kind};
    if (f.kind != FieldKind::kText) plan.bins = &f.bins;
    plan.sums = plan.quantiles = is_numeric(f.kind);
    layout.fields.push_back(plan);
  }
  layout.finish();
  return layout;
}

inline void count_row(LevelPane& pane, const PaneLayout& layout, const Batch& batch, std::uint32_t row, const Dictionaries& dictionaries) {
  const std::uint32_t slot = pane.slot(0);
  pane.add_row(slot);
  for (std::size_t f = 0; f < batch.columns.size(); ++f) {
    const Column& column = batch.columns[f];
    const PaneLayout::FieldPlan& plan = layout.fields[f];
    FieldCell& cell = pane.cell(slot, f);
    if (column.cells[row] != Cell::kValid) {
      ++cell.cells[static_cast<std::size_t>(column.cells[row])];
    } else if (is_numeric(column.kind)) {
      const double x = column.numbers[row];
      cell.add_number(x);
      pane.add_quantile(slot, f, x);
      pane.add_bin(slot, plan, plan.bins->bin_of(x));
      pane.add_sum(slot, plan, plan.bins->bin_of(x), x);
    } else {
      ++cell.cells[0];
      if (plan.bins == nullptr) continue;
      const std::uint32_t code = column.codes[row];
      const std::uint32_t other = plan.bins->size() - 1;
      const bool known = code != Dictionary::kNone;
      pane.add_bin(slot, plan, known ? plan.bins->bin_of(std::string_view(dictionaries.categories[f].text(code))) : other);
    }
  }
}

// The stream's windows and those of the sites, in order of time; `batch` holds `rows`.
inline void count_windows(const std::vector<Row>& rows, Duration window, const Batch& batch, const Dictionaries& dictionaries,
                          const PaneLayout& layout, const std::function<void(const Window&)>& out) {
  std::map<Time, std::map<Segment, LevelPane>> panes;
  for (std::uint32_t r = 0; r < batch.rows(); ++r) {
    for (const Segment& segment : {Segment{}, Segment{"site", rows[r].site}}) {
      auto& at = panes[floor_to(rows[r].time, window)];
      count_row(at.try_emplace(segment, &layout).first->second, layout, batch, r, dictionaries);
    }
  }
  WindowView view(&layout);
  for (auto& [start, segments] : panes) {
    for (auto& [segment, pane] : segments) {
      const Block block = pane.block(0, 0, dictionaries.sensors);
      Window& w = view.view(block);
      w.start = start;
      w.end = start + window;
      w.segment = segment;
      out(w);
    }
  }
}

inline Result<Reference> try_build(const std::vector<Row>& rows, Duration window = kMinute, const std::string& name = "pumps") {
  ReferenceBuilder builder(schema(), window);
  Dictionaries dictionaries(schema().fields.size());
  const Batch batch = batch_of(rows, dictionaries);
  builder.learn(batch, dictionaries);
  const PaneLayout layout = layout_of(builder.freeze());
  count_windows(rows, window, batch, dictionaries, layout, [&](const Window& w) { builder.add_window(w); });
  Provenance provenance;
  provenance.sources = {"file:well.jsonl"};
  provenance.rows = rows.size();
  return builder.finish(name, std::move(provenance));
}

inline Reference build(const std::vector<Row>& rows, Duration window = kMinute) {
  auto built = try_build(rows, window);
  EXPECT_TRUE(built.ok()) << built.error().message;
  return std::move(*built);
}

// A hundred rows of two sites over three minutes, with every state of a cell.
inline std::vector<Row> some_rows(double offset = 0) {
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) {
    Row row{i * 1800 * kMillisecond, offset + 20 + i * i % 89 * 0.25, i % 5 == 0 ? "idle" : "on"};
    if (i % 10 == 3) row.temperature = Cell::kNull;
    if (i % 25 == 7) row.temperature = std::numeric_limits<double>::quiet_NaN();
    if (i % 20 == 9) row.status = Cell::kWrongType;
    row.site = i % 3 == 0 ? "south" : "north";
    rows.push_back(row);
  }
  return rows;
}

inline const History* history_of(const Reference& r, const Segment& segment, const std::string& field, const std::string& statistic) {
  for (const History& h : r.history) {
    if (h.segment == segment && h.field == field && h.statistic == statistic) return &h;
  }
  return nullptr;
}

}  // namespace driftd::stats::reference_test
