// Batch: decoded records of one stream and one partition, column by column.
//
// Rows stand in the order of their source. A cell that is not kValid has no value: what stands in
// numbers/codes/texts at its row must not be read. Batches are reused: clear() keeps the memory, so
// that after warm-up a record costs no allocation. Thread-safety: none; one worker owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/dictionary.h"
#include "core/schema.h"
#include "core/sensor_dictionary.h"
#include "core/time.h"

namespace driftd {

inline constexpr std::size_t kMaxCategoryBytes = 1024;  // a longer one is kept by nobody

enum class Cell : std::uint8_t {
  kValid = 0,
  kMissing = 1,    // the record has no such field
  kNull = 2,       // the field is there and null (CSV: empty)
  kWrongType = 3,  // there, but not of the declared kind
  kNotFinite = 4,  // NaN or an infinity where a number is declared
};

struct Column {
  FieldKind kind = FieldKind::kNumber;
  std::vector<Cell> cells;             // one a row
  std::vector<double> numbers;         // numeric kinds: one a row
  std::vector<std::uint32_t> codes;    // kCategory: number in Dictionaries::categories, or
                                       // Dictionary::kNone when its dictionary is full or the
                                       // text is longer than kMaxCategoryBytes
  std::vector<std::uint32_t> text_at;  // kText: where the text starts in Batch::arena
  std::vector<std::uint32_t> text_size;
};

// What a partition knows by number. Part of the partition's state.
struct Dictionaries {
  explicit Dictionaries(std::size_t fields = 0, SensorDictionary::Policy policy = {}, std::uint32_t category_cap = 4096) : sensors(policy) {
    for (std::size_t i = 0; i < fields; ++i) categories.emplace_back(category_cap);
  }
  SensorDictionary sensors;
  std::vector<Dictionary> categories;  // one a field of the schema; empty but for kCategory
};

// Half-open range of rows.
struct RowRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Batch {
  std::uint32_t partition = 0;
  std::vector<std::uint32_t> sensor;  // number in Dictionaries::sensors
  std::vector<Time> event_time;
  std::vector<Time> arrival;           // when the source took it; kNoTime when it does not say
  std::vector<std::int64_t> position;  // in the source's partition: offset, sequence, row number
  std::vector<Column> columns;         // one a field of the schema, in its order
  std::string arena;                   // the texts of kText columns

  // Sensors whose numbers were given up for the sensor of a row, in the order of rows: with that row their
  // state must go.
  struct Eviction {
    std::uint32_t row;
    std::uint32_t sensor;
  };
  std::vector<Eviction> evictions;

  std::uint32_t rows() const { return static_cast<std::uint32_t>(event_time.size()); }

  std::string_view text(const Column& column, std::uint32_t row) const {
    return std::string_view(arena).substr(column.text_at[row], column.text_size[row]);
  }

  // Empties it and gives it one column a field.
  void reset(const Schema& schema, std::uint32_t for_partition);
};

// Appends rows to a Batch: begin_row, any number of set_..., then commit_row or abandon_row.
// Fields that were not set are kMissing; a field set twice keeps the last value.
class BatchBuilder {
 public:
  BatchBuilder(Batch& batch, const Schema& schema, Dictionaries& dictionaries)
      : batch_(batch), schema_(schema), dictionaries_(dictionaries) {}

  const Schema& schema() const { return schema_; }
  Dictionaries& dictionaries() { return dictionaries_; }

  void begin_row();
  void set_number(std::size_t field, double v);  // NaN and infinities become kNotFinite; an
                                                 // integer field takes whole numbers only
  void set_flag(std::size_t field, bool v);
  void set_text(std::size_t field, std::string_view v);  // category or text; for a numeric field
                                                         // kWrongType unless numbers_in_text
  void set_cell(std::size_t field, Cell state);          // kNull, kWrongType, ...
  void commit_row(std::uint32_t sensor, Time event_time, Time arrival, std::int64_t position);
  void abandon_row();

 private:
  Batch& batch_;
  const Schema& schema_;
  Dictionaries& dictionaries_;
};

}  // namespace driftd
