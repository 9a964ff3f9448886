// One detector as a check, driven as the engine drives it: rows in, hits out.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/check.h"

namespace driftd::rules::detector_test {

inline const double kNan = std::numeric_limits<double>::quiet_NaN();
using Given = std::vector<std::pair<std::string, std::string>>;

// A cell of a test row: a number, a text, a null, a wrong type, or missing.
struct Value {
  Value(double n) : number(n) {}     // NOLINT: implicit
  Value(const char* t) : text(t) {}  // NOLINT: implicit
  Value(Cell c) : cell(c) {}         // NOLINT: implicit
  std::optional<double> number;
  std::optional<std::string> text;
  Cell cell = Cell::kMissing;
};

struct TestRow {
  std::string sensor;
  Time time;
  std::vector<Value> values;
  Time arrival = kNoTime;
};

class Harness {
 public:
  // `fields` are the schema; the check is about `field` (its index, -1 for none).
  Harness(const std::string& name, Given params, std::vector<Field> fields, int field = 0, const stats::Reference* reference = nullptr)
      : name_(name), params_(std::move(params)), field_(field), reference_(reference), dictionaries(fields.size()) {
    schema.fields = std::move(fields);
    auto made = make();
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    if (made) check = std::move(*made);
  }

  Result<std::unique_ptr<Check>> make() const {
    const auto* unit = checks().find(name_);
    EXPECT_NE(unit, nullptr) << name_;
    std::vector<std::pair<std::string, Node>> entries;
    for (const auto& [key, value] : params_) entries.emplace_back(key, Node::text(value));
    ErrorList errors;
    const Params params = read_params(Node::map(entries), unit->descriptor.params, name_, errors);
    if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors().front().message};
    return unit->make.make(params, {.schema = &schema, .field = field_, .reference = reference_, .window = kMinute});
  }

  // Feeds rows in slices of `slice`; collects what was hit.
  void feed(const std::vector<TestRow>& rows, std::size_t slice = 1000) {
    batch.reset(schema, 0);
    BatchBuilder builder(batch, schema, dictionaries);
    for (const TestRow& row : rows) {
      builder.begin_row();
      for (std::size_t f = 0; f < row.values.size(); ++f) {
        const Value& v = row.values[f];
        if (v.number) {
          builder.set_number(f, *v.number);
        } else if (v.text) {
          builder.set_text(f, *v.text);
        } else {
          builder.set_cell(f, v.cell);
        }
      }
      builder.commit_row(dictionaries.sensors.intern(row.sensor), row.time, row.arrival, static_cast<std::int64_t>(position++));
    }
    for (std::uint32_t r = 0; r < batch.rows(); r += static_cast<std::uint32_t>(slice)) {
      RowHits hits;
      check->on_rows({batch, {r, std::min<std::uint32_t>(batch.rows(), r + static_cast<std::uint32_t>(slice))}, dictionaries}, hits);
      for (const auto& hit : hits.failed) {
        failed.push_back(hit.row + seen);
        values.push_back(hit.value);
      }
      for (const std::uint32_t row : hits.skipped) skipped.push_back(row + seen);
    }
    seen += batch.rows();
  }

  std::string name_;
  Given params_;
  int field_;
  const stats::Reference* reference_;
  Schema schema;
  Dictionaries dictionaries;
  Batch batch;
  std::unique_ptr<Check> check;
  std::size_t position = 0;
  std::uint32_t seen = 0;
  std::vector<std::uint32_t> failed, skipped;
  std::vector<double> values;
};

inline Field number_field(const char* name = "x") { return {.name = name, .kind = FieldKind::kNumber}; }

// Rows of one sensor, a second apart.
inline std::vector<TestRow> series(const std::vector<Value>& values, Time start = 0) {
  std::vector<TestRow> rows;
  for (const Value& v : values) rows.push_back({"s", start + static_cast<Time>(rows.size()) * kSecond, {v}});
  return rows;
}

using U = std::vector<std::uint32_t>;

}  // namespace driftd::rules::detector_test
