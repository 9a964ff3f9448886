// Splitting rows against writing them: any columns come back, whatever is in them.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ingest/csv_row.h"

namespace driftd::ingest {
namespace {

std::string quoted(const std::string& column) {
  std::string out = "\"";
  for (const char c : column) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// Texts of the bytes that matter here.
rc::Gen<std::string> any_column() { return rc::gen::container<std::string>(rc::gen::element('a', 'b', ' ', ',', ';', '"', '\n', '\r')); }

// Quoted where it must be, else by the coin.
std::string written(const std::string& column, bool anyway) {
  const bool must = column.find_first_of(",\"\r\n") != std::string::npos;
  return must || anyway ? quoted(column) : column;
}

struct Table {
  std::vector<std::vector<std::string>> rows;
  std::string bytes;
};

Table any_table() {
  Table t;
  const bool carriage = *rc::gen::arbitrary<bool>();
  const int rows = *rc::gen::inRange(1, 5);
  for (int r = 0; r < rows; ++r) {
    auto columns = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(any_column()));
    for (std::size_t c = 0; c < columns.size(); ++c) {
      // A row of one empty column that is not quoted would be an empty line.
      const bool anyway = columns.size() == 1 || *rc::gen::arbitrary<bool>();
      t.bytes += (c == 0 ? "" : ",") + written(columns[c], anyway);
    }
    t.bytes += carriage ? "\r\n" : "\n";
    t.rows.push_back(std::move(columns));
  }
  return t;
}

RC_GTEST_PROP(CsvRow, ColumnsComeBackAsTheyWere, ()) {
  const Table t = any_table();
  const CsvFormat format;
  CsvRowEnd end(format);
  CsvColumns columns;
  std::size_t from = 0;
  for (const auto& expected : t.rows) {
    end.reset();
    const std::size_t at = end.find(std::string_view(t.bytes).substr(from));
    RC_ASSERT(at != std::string_view::npos);
    const std::string row = t.bytes.substr(from, at + 1);
    RC_ASSERT(split_csv(row, format, columns).empty());
    const std::vector<std::string> found(columns.views.begin(), columns.views.end());
    RC_ASSERT(found == expected);
    from += at + 1;
  }
  RC_ASSERT(from == t.bytes.size());
}

RC_GTEST_PROP(CsvRow, TheEndOfARowDoesNotDependOnThePieces, ()) {
  const Table t = any_table();
  const CsvFormat format;
  CsvRowEnd whole(format), parts(format);
  const std::size_t expected = whole.find(t.bytes);
  std::size_t at = 0;
  for (;;) {
    const auto size = *rc::gen::inRange<std::size_t>(1, 4);
    const std::size_t found = parts.find(std::string_view(t.bytes).substr(at, size));
    if (found != std::string_view::npos) {
      RC_ASSERT(at + found == expected);
      return;
    }
    at += size;
    RC_ASSERT(at <= expected);
  }
}

RC_GTEST_PROP(CsvRow, AnyBytesAreARowOrRefused, (const std::string& bytes)) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  CsvColumns columns;
  const CsvFormat format{';', '\'', *rc::gen::arbitrary<bool>()};
  const std::string_view wrong = split_csv(std::string_view(exact.data(), exact.size()), format, columns);
  std::size_t size = 0;
  for (const std::string_view column : columns.views) size += column.size();
  RC_ASSERT(!wrong.empty() || size <= bytes.size());
}

}  // namespace
}  // namespace driftd::ingest
