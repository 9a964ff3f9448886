#include "ingest/csv_row.h"

#include <cstring>

namespace driftd::ingest {

std::vector<ParamSpec> csv_format_params() {
  return {
      {.name = "separator", .type = ParamType::kText, .sentence = "The byte between columns; \"\\t\" for tabs", .default_text = ","},
      {.name = "quote",
       .type = ParamType::kText,
       .sentence = "The byte around columns that hold separators or line breaks",
       .default_text = "\""},
      {.name = "collapse",
       .type = ParamType::kBoolean,
       .sentence = "Runs of separators count as one, for files aligned with spaces",
       .default_text = "false"},
  };
}

Result<CsvFormat> csv_format(const Params& params) {
  const std::string& separator = params.text("separator");
  const std::string& quote = params.text("quote");
  const auto is_byte = [](const std::string& s) { return s.size() == 1 && s != "\n" && s != "\r"; };
  for (const auto& [name, text] : {std::pair("separator", &separator), std::pair("quote", &quote)}) {
    if (is_byte(*text)) continue;
    return Error{ErrorCode::kInvalidArgument, std::string("'") + name + "' must be one byte and no line break"};
  }
  if (separator == quote) return Error{ErrorCode::kInvalidArgument, "'quote' must differ from the separator"};
  return CsvFormat{separator[0], quote[0], params.boolean("collapse")};
}

namespace {

// Reads the column that starts at `at`; leaves `at` at the separator behind it or at the end.
class ColumnReader {
 public:
  ColumnReader(std::string_view row, const CsvFormat& format, CsvColumns& columns) : row_(row), format_(format), columns_(columns) {}

  std::string_view read(std::size_t& at) {
    if (at < row_.size() && row_[at] == format_.quote) return quoted(at);
    const void* end = at < row_.size() ? std::memchr(row_.data() + at, format_.separator, row_.size() - at) : nullptr;
    const std::size_t stop = end == nullptr ? row_.size() : static_cast<std::size_t>(static_cast<const char*>(end) - row_.data());
    columns_.views.push_back(row_.substr(at, stop - at));
    at = stop;
    return {};
  }

 private:
  std::string_view quoted(std::size_t& at) {
    const std::size_t first = at + 1;
    std::size_t end = row_.find(format_.quote, first);
    bool doubled = false;
    while (end != std::string_view::npos && end + 1 < row_.size() && row_[end + 1] == format_.quote) {
      doubled = true;
      end = row_.find(format_.quote, end + 2);
    }
    if (end == std::string_view::npos) return "a quote is not closed";
    if (end + 1 < row_.size() && row_[end + 1] != format_.separator) return "text follows a closing quote";
    columns_.views.push_back(doubled ? undouble(row_.substr(first, end - first)) : row_.substr(first, end - first));
    at = end + 1;
    return {};
  }

  // `unquoted` has room for the whole row, so its bytes never move.
  std::string_view undouble(std::string_view text) {
    const std::size_t start = columns_.unquoted.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
      columns_.unquoted += text[i];
      if (text[i] == format_.quote) ++i;
    }
    return std::string_view(columns_.unquoted).substr(start);
  }

  std::string_view row_;
  const CsvFormat& format_;
  CsvColumns& columns_;
};

}  // namespace

std::string_view split_csv(std::string_view row, const CsvFormat& format, CsvColumns& columns) {
  columns.views.clear();
  columns.unquoted.clear();
  columns.unquoted.reserve(row.size());
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.ends_with('\r')) row.remove_suffix(1);
  if (format.collapse) {
    while (row.ends_with(format.separator)) row.remove_suffix(1);
  }
  ColumnReader reader(row, format, columns);
  for (std::size_t at = 0;; ++at) {
    while (format.collapse && at < row.size() && row[at] == format.separator) ++at;
    const std::string_view damage = reader.read(at);
    if (!damage.empty()) return damage;
    if (at >= row.size()) return {};
  }
}

std::size_t CsvRowEnd::find(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (state_ == State::kQuoted) {
      const void* quote = std::memchr(bytes.data() + i, format_.quote, bytes.size() - i);
      if (quote == nullptr) return std::string_view::npos;
      i = static_cast<std::size_t>(static_cast<const char*>(quote) - bytes.data());
      state_ = State::kQuoteInQuoted;
    } else if (c == '\n') {
      return i;
    } else if (c == format_.quote && state_ != State::kPlain) {
      state_ = State::kQuoted;  // opens a column, or is the second of a doubled quote
    } else {
      state_ = c == format_.separator ? State::kColumnStart : State::kPlain;
    }
  }
  return std::string_view::npos;
}

}  // namespace driftd::ingest
