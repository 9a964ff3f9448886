// One CSV row to columns (RFC 4180), and where one row ends and the next begins. Shared by the csv
// decoder and the readers of files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/params.h"
#include "core/result.h"

namespace driftd::ingest {

struct CsvFormat {
  char separator = ',';
  char quote = '"';
  bool collapse = false;  // runs of separators count as one, and none counts at the row's ends
};

// The parameters separator, quote and collapse, and how they are read. Refuses separators that are
// not one byte, quote or line break.
std::vector<ParamSpec> csv_format_params();
Result<CsvFormat> csv_format(const Params& params);

// Columns of a row; reused from row to row.
struct CsvColumns {
  std::vector<std::string_view> views;  // into the row, or into `unquoted`
  std::string unquoted;                 // columns that had doubled quotes
};

// Splits a row; one line break at its end is not part of it. Returns what is wrong with the row, in
// words, or nothing. Precondition: the row outlives the columns.
std::string_view split_csv(std::string_view row, const CsvFormat& format, CsvColumns& columns);

// Finds the end of rows in a stream of bytes that comes in pieces.
class CsvRowEnd {
 public:
  explicit CsvRowEnd(const CsvFormat& format) : format_(format) {}

  // Position of the line break that ends the row, looking on from where the last call stopped;
  // npos when the piece ends first (then call again with the bytes that follow).
  std::size_t find(std::string_view bytes);
  // The next byte begins a row.
  void reset() { state_ = State::kColumnStart; }

 private:
  enum class State { kColumnStart, kPlain, kQuoted, kQuoteInQuoted };

  CsvFormat format_;
  State state_ = State::kColumnStart;
};

}  // namespace driftd::ingest
