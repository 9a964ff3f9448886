// Rows made by hand, a check made from its registry by name and parameters as one would write them,
// and its hits and verdicts on those rows.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rules/check.h"

namespace driftd::rules {

using Value = std::variant<double, const char*, Cell>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct TestRow {
  std::vector<Value> values;
  Time time = 0;
  std::string sensor = "a";
  Time arrival = kNoTime;
};

// "[a, b]" becomes a list.
inline Node node_of(const std::string& text) {
  if (text.size() < 2 || text.front() != '[') return Node::text(text);
  Node list = Node::list({});
  std::string item;
  for (const char c : text.substr(1)) {
    if (c == ',' || c == ']') {
      list.items.push_back(Node::text(item));
      item.clear();
    } else if (c != ' ') {
      item += c;
    }
  }
  return list;
}

inline Field field(const char* name, FieldKind kind = FieldKind::kNumber) {
  Field f;
  f.name = name;
  f.kind = kind;
  return f;
}

class CheckFixture {
 public:
  explicit CheckFixture(std::vector<Field> fields = {field("x")}, const stats::Reference* reference = nullptr)
      : dictionaries_(fields.size()), reference_(reference) {
    schema_.fields = std::move(fields);
    batch_.reset(schema_, 3);
  }

  // Like the configuration does; the message of the first error when it is refused.
  Result<std::unique_ptr<Check>> try_make(const std::string& name, const Pairs& params, const std::string& about = "") const {
    const auto* unit = checks().find(name);
    if (unit == nullptr) return Error{ErrorCode::kNotFound, name};
    Node map = Node::map({});
    for (const auto& [key, value] : params) map.entries.emplace_back(key, node_of(value));
    ErrorList errors;
    const Params read = read_params(map, unit->descriptor.params, "check " + name, errors);
    if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors()[0].message};
    return unit->make.make(read, context(about));
  }
  std::unique_ptr<Check> make(const std::string& name, const Pairs& params = {}, const std::string& about = "") const {
    auto made = try_make(name, params, about);
    if (!made) ADD_FAILURE() << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  CheckContext context(const std::string& about) const {
    const auto index = schema_.index_of(about);
    return {&schema_, index ? static_cast<int>(*index) : -1, reference_, kMinute};
  }

  void add_row(const TestRow& row) {
    BatchBuilder builder(batch_, schema_, dictionaries_);
    builder.begin_row();
    for (std::size_t f = 0; f < row.values.size(); ++f) {
      if (const auto* number = std::get_if<double>(&row.values[f])) {
        builder.set_number(f, *number);
      } else if (const auto* text = std::get_if<const char*>(&row.values[f])) {
        builder.set_text(f, *text);
      } else {
        builder.set_cell(f, std::get<Cell>(row.values[f]));
      }
    }
    builder.commit_row(dictionaries_.sensors.intern(row.sensor), row.time, row.arrival, 1000 + batch_.rows());
  }
  void add(const std::vector<TestRow>& rows) {
    for (const TestRow& row : rows) add_row(row);
  }
  // One sensor's numbers of the first field, a second apart.
  void add_numbers(const std::vector<double>& numbers, const std::string& sensor = "a") {
    for (const double v : numbers) add_row({{v}, kSecond * batch_.rows(), sensor});
  }
  void clear() { batch_.reset(schema_, 3); }

  // The hits of all rows, in slices of `slice` rows.
  RowHits run(Check& check, std::uint32_t slice = 1U << 30) {
    RowHits all;
    for (std::uint32_t begin = 0; begin < batch_.rows();) {
      const std::uint32_t end = std::min(batch_.rows(), begin + std::min(slice, batch_.rows()));
      RowHits hits;
      check.on_rows({batch_, {begin, end}, dictionaries_}, hits);
      for (const auto& hit : hits.failed) all.fail(hit.row, hit.value);
      for (const std::uint32_t row : hits.skipped) all.skip(row);
      begin = end;
    }
    return all;
  }

  // The window of all rows, with these hits.
  stats::Window window(const RowHits& hits = {}) const {
    stats::Window w;
    w.start = 0;
    w.end = kMinute;
    w.rows = batch_.rows();
    for (const Column& column : batch_.columns) {
      stats::FieldSummary f;
      f.kind = column.kind;
      for (std::uint32_t r = 0; r < batch_.rows(); ++r) {
        const Cell cell = column.cells[r];
        f.valid += cell == Cell::kValid;
        f.missing += cell == Cell::kMissing;
        f.null += cell == Cell::kNull;
        f.wrong_type += cell == Cell::kWrongType;
        f.not_finite += cell == Cell::kNotFinite;
        if (cell == Cell::kValid && is_numeric(column.kind)) f.moments.add(column.numbers[r]);
      }
      w.fields.push_back(f);
    }
    stats::Tally tally;
    tally.failed = hits.failed.size();
    tally.skipped = hits.skipped.size();
    for (const auto& hit : hits.failed) {
      tally.worst = std::max(tally.worst, std::abs(hit.value));
      if (tally.first.set) continue;
      tally.first = {true,
                     batch_.event_time[hit.row],
                     batch_.partition,
                     batch_.position[hit.row],
                     hit.value,
                     dictionaries_.sensors.text(batch_.sensor[hit.row])};
    }
    w.tallies.push_back(tally);
    return w;
  }
  Judgement judge(Check& check) {
    const stats::Window w = window(check.row_level() ? run(check) : RowHits());
    return check.judge(w, w.tallies[0]);
  }

  Batch& batch() { return batch_; }
  Dictionaries& dictionaries() { return dictionaries_; }

 private:
  Schema schema_;
  Dictionaries dictionaries_;
  Batch batch_;
  const stats::Reference* reference_;
};

inline std::vector<std::uint32_t> rows_of(const RowHits& hits) {
  std::vector<std::uint32_t> rows;
  for (const auto& hit : hits.failed) rows.push_back(hit.row);
  return rows;
}
inline std::vector<double> values_of(const RowHits& hits) {
  std::vector<double> values;
  for (const auto& hit : hits.failed) values.push_back(hit.value);
  return values;
}
inline const Detail* detail_of(const Judgement& j, const std::string& key) {
  for (const Detail& d : j.detail) {
    if (d.key == key) return &d;
  }
  return nullptr;
}
inline std::string error_of(const Result<std::unique_ptr<Check>>& made) { return made.ok() ? "" : made.error().message; }

// One row of each state a cell can have, around two values.
inline std::vector<TestRow> every_cell(Value first, Value second) {
  return {{{first}, 0},
          {{Cell::kMissing}, kSecond},
          {{Cell::kNull}, 2 * kSecond},
          {{Cell::kWrongType}, 3 * kSecond},
          {{Cell::kNotFinite}, 4 * kSecond},
          {{second}, 5 * kSecond}};
}

// What every test file says of its check's state: hits do not depend on slices nor on a save and
// load at any row, and a forgotten sensor is a new one.
inline void expect_same_in_slices_and_after_restart(CheckFixture& f, const std::string& name, const Pairs& params,
                                                    const std::string& field = "") {
  const RowHits whole = f.run(*f.make(name, params, field));
  for (std::uint32_t slice : {1U, 2U, 3U, 7U}) {
    const RowHits parts = f.run(*f.make(name, params, field), slice);
    EXPECT_EQ(rows_of(parts), rows_of(whole)) << name << " in slices of " << slice;
    EXPECT_EQ(values_of(parts), values_of(whole));
    EXPECT_EQ(parts.skipped, whole.skipped);
  }
  auto check = f.make(name, params, field);
  RowHits hits;
  for (std::uint32_t r = 0; r < f.batch().rows(); ++r) {
    ByteWriter out;
    check->save(out);
    auto restored = f.make(name, params, field);
    ByteReader in(out.bytes());
    ASSERT_TRUE(restored->load(in).ok()) << name << " at row " << r;
    ASSERT_EQ(in.left(), 0U);
    ByteWriter again;
    restored->save(again);
    ASSERT_EQ(again.bytes(), out.bytes());
    check = std::move(restored);
    RowHits one;
    check->on_rows({f.batch(), {r, r + 1}, f.dictionaries()}, one);
    for (const auto& hit : one.failed) hits.fail(hit.row, hit.value);
  }
  EXPECT_EQ(rows_of(hits), rows_of(whole)) << name << " after restarts";
  EXPECT_EQ(values_of(hits), values_of(whole));
}

}  // namespace driftd::rules
