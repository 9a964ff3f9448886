#include "core/batch.h"

#include <cmath>

#include "core/text.h"

namespace driftd {
namespace {

// Doubles tell whole numbers apart up to here (2^53 - 1); 2^53 may also have been 2^53 + 1.
constexpr double kLargestInteger = 9007199254740991.0;

}  // namespace

void Batch::reset(const Schema& schema, std::uint32_t for_partition) {
  partition = for_partition;
  sensor.clear();
  event_time.clear();
  arrival.clear();
  position.clear();
  evictions.clear();
  arena.clear();
  columns.resize(schema.fields.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].kind = schema.fields[i].kind;
    columns[i].cells.clear();
    columns[i].numbers.clear();
    columns[i].codes.clear();
    columns[i].text_at.clear();
    columns[i].text_size.clear();
  }
}

void BatchBuilder::begin_row() {
  for (Column& column : batch_.columns) {
    column.cells.push_back(Cell::kMissing);
    if (is_numeric(column.kind)) {
      column.numbers.push_back(0);
    } else if (column.kind == FieldKind::kCategory) {
      column.codes.push_back(Dictionary::kNone);
    } else {
      column.text_at.push_back(0);
      column.text_size.push_back(0);
    }
  }
}

void BatchBuilder::set_number(std::size_t field, double v) {
  Column& column = batch_.columns[field];
  if (!is_numeric(column.kind)) {
    column.cells.back() = Cell::kWrongType;
  } else if (!std::isfinite(v)) {
    column.cells.back() = Cell::kNotFinite;
  } else if ((column.kind == FieldKind::kInteger && (v != std::trunc(v) || std::fabs(v) > kLargestInteger)) ||
             (column.kind == FieldKind::kFlag && v != 0 && v != 1)) {
    column.cells.back() = Cell::kWrongType;
  } else {
    column.numbers.back() = v;
    column.cells.back() = Cell::kValid;
  }
}

void BatchBuilder::set_flag(std::size_t field, bool v) {
  Column& column = batch_.columns[field];
  if (column.kind == FieldKind::kFlag) {
    column.numbers.back() = v ? 1 : 0;
    column.cells.back() = Cell::kValid;
  } else if (column.kind == FieldKind::kCategory) {
    set_text(field, v ? "true" : "false");
  } else {
    column.cells.back() = Cell::kWrongType;
  }
}

void BatchBuilder::set_text(std::size_t field, std::string_view v) {
  Column& column = batch_.columns[field];
  if (column.kind == FieldKind::kCategory) {
    const bool kept = v.size() <= kMaxCategoryBytes;
    column.codes.back() = kept ? dictionaries_.categories[field].intern(v) : Dictionary::kNone;
    column.cells.back() = Cell::kValid;
  } else if (column.kind == FieldKind::kText) {
    column.text_at.back() = static_cast<std::uint32_t>(batch_.arena.size());
    column.text_size.back() = static_cast<std::uint32_t>(v.size());
    batch_.arena.append(v);
    column.cells.back() = Cell::kValid;
  } else if (schema_.fields[field].numbers_in_text) {
    if (const auto number = parse_number(v)) return set_number(field, *number);
    column.cells.back() = Cell::kWrongType;
  } else {
    column.cells.back() = Cell::kWrongType;
  }
}

void BatchBuilder::set_cell(std::size_t field, Cell state) { batch_.columns[field].cells.back() = state; }

void BatchBuilder::commit_row(std::uint32_t sensor, Time event_time, Time arrival, std::int64_t position) {
  if (!dictionaries_.sensors.evicted().empty()) {
    for (const std::uint32_t evicted : dictionaries_.sensors.evicted()) batch_.evictions.push_back({batch_.rows(), evicted});
    dictionaries_.sensors.clear_evicted();
  }
  batch_.sensor.push_back(sensor);
  batch_.event_time.push_back(event_time);
  batch_.arrival.push_back(arrival);
  batch_.position.push_back(position);
}

void BatchBuilder::abandon_row() {
  for (Column& column : batch_.columns) {
    column.cells.pop_back();
    if (is_numeric(column.kind)) {
      column.numbers.pop_back();
    } else if (column.kind == FieldKind::kCategory) {
      column.codes.pop_back();
    } else {
      column.text_at.pop_back();
      column.text_size.pop_back();
    }
  }
}

}  // namespace driftd
